/* Two trains that two networks sent each other: are they one flow's?  As recognise(), with one candidate and
 * no recording. */
#include "trace/recognise_in.h"

#include <stdio.h>

enum status recognise_pair(const struct flow *claimed, const struct flow *other, double alpha,
	struct recognised *to, struct err *e)
{
	struct candidate_flow c = {.flow = other, .ship = kinship_of(claimed, other)};
	struct finding f;
	enum status s;

	*to = (struct recognised){.seen = SEEN_NOT, .searched = 1};
	to->needed = recognise_needed(alpha, 1, &c.ship);
	s = flows_alike(claimed, other, NULL, 0, RECOGNISE_SKEW_US, &to->alike, e);
	if (s != STATUS_OK)
		return s;
	recognise_judge(claimed, &c, &to->alike, to->needed, &f);
	to->translated = c.ship.translated;
	if (f.ruling != RULED_APART)
		to->flow = other;
	if (f.ruling == RULED_CONFIRMED)
		to->seen = SEEN_CONFIRMED;
	else if (f.ruling == RULED_CONTRADICTED)
		to->seen = SEEN_CONTRADICTED;
	else if (f.ruling == RULED_OPEN)
		to->seen = SEEN_CANNOT_TELL;
	(void)snprintf(to->why, sizeof(to->why), "%s", f.why);
	return STATUS_OK;
}
