/* What several commands do with claims: see claims.h. */
#include "cli/claims.h"

enum status place_open(const struct app *a, struct place *p, struct err *e)
{
	enum status s = store_prepare(a->w, a->dir, e);

	*p = (struct place){.w = a->w, .dir = a->dir};
	return s == STATUS_OK ? case_db_open(&p->db, a->w, a->dir, e) : s;
}

enum status claim_attack(const struct place *p, const struct id *case_id, const struct flow *f,
	const struct sighting *g, struct err *e)
{
	struct told t;
	struct id id;
	enum status s = tell_attack(&t, f, g, 1, WEIR_CODE, e);

	if (s == STATUS_OK)
		s = told_store(p, &t, case_id, "", "", &id, e);
	told_free(&t);
	return s;
}
