/* The names under which the user sees what was not counted (packet.h, JSON `skipped`). */
#include "record/packet.h"

const char *drop_name(enum drop d)
{
	static const char *const name[DROP_COUNT] = {
		[DROP_NONE] = "none",
		[DROP_RECORD] = "bad-record",
		[DROP_TRUNCATED] = "truncated",
		[DROP_SNAPPED] = "snapped",
		[DROP_LINKTYPE] = "link-type",
		[DROP_NOT_IP] = "not-ip",
		[DROP_BAD_IP] = "bad-ip",
		[DROP_BAD_TRANSPORT] = "bad-transport",
		[DROP_DEPTH] = "encapsulation",
		[DROP_TIME] = "time",
		[DROP_FILTER] = "filter",
		[DROP_NEVER] = "never-record",
		[DROP_DUPLICATE] = "duplicate",
		[DROP_RECORDED] = "already-recorded",
		[DROP_FRAGMENT] = "fragment",
		[DROP_TABLE] = "table-full",
	};

	return (unsigned)d < DROP_COUNT && name[d] ? name[d] : "unknown";
}
