/* The limit up to which a pair would have been proven. */
#include "trace/limit.h"

enum status limit_find(struct relink_room *room, const struct relink *p, struct limit *to, struct err *e)
{
	(void)room;
	(void)p;
	(void)e;
	*to = (struct limit){0};
	return STATUS_OK;
}
