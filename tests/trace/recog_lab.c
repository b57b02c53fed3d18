/* Reads lab/set: each capture is recorded into a data directory of its own, the truth files tell which flows
 * carry one session (legs of one relay, copies before and after translation, hops of one chain). */
#include "recog_lab.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/record.h"

/* A flow's name in a run, and the session that it belongs to. */
struct named {
	char run[32], flow[FLOW_TEXT];
	int up;
};

struct names {
	struct named *v;
	int n, cap;
};

static void give_up(const char *what, const char *why)
{
	(void)fprintf(stderr, "%s: %s\n", what, why);
	exit(3);
}

static int name_of(struct names *s, const char *run, const char *flow)
{
	for (int i = 0; i < s->n; i++)
		if (strcmp(s->v[i].flow, flow) == 0 && strcmp(s->v[i].run, run) == 0)
			return i;
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 256;
		s->v = realloc(s->v, (size_t)s->cap * sizeof(*s->v));
		if (!s->v)
			give_up("names", "no memory");
	}
	struct named *to = &s->v[s->n];
	(void)snprintf(to->run, sizeof(to->run), "%s", run);
	(void)snprintf(to->flow, sizeof(to->flow), "%s", flow);
	to->up = s->n;
	return s->n++;
}

static int root(const struct names *s, int i)
{
	while (s->v[i].up != i)
		i = s->v[i].up;
	return i;
}

static void one_session(struct names *s, const char *run, const char *a, const char *b)
{
	int x = name_of(s, run, a), y = name_of(s, run, b);

	s->v[root(s, x)].up = root(s, y);
}

/* Every object of the truth with a pair in it. */
static void read_truth(struct names *s, const char *run, json_t *j)
{
	static const char *const pair[][2] = {{"in", "out"}, {"inside", "outside"}};
	json_t *v;

	if (json_is_array(j)) {
		size_t i;
		json_array_foreach(j, i, v) read_truth(s, run, v);
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		const char *a = json_string_value(json_object_get(j, pair[i][0]));
		const char *b = json_string_value(json_object_get(j, pair[i][1]));
		if (a && b)
			one_session(s, run, a, b);
	}
	const char *key;
	json_object_foreach(j, key, v) if (json_is_object(v) || json_is_array(v)) read_truth(s, run, v);
}

static void load_truth(struct names *s, const char *set, const char *run)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s/truth.json", set, run);
	json_t *j = json_load_file(path, 0, NULL);
	if (!j)
		give_up(path, "no truth");
	read_truth(s, run, j);
	json_decref(j);
}

static void load_point(struct lab *l, const char *set, const char *run, const char *file)
{
	struct lab_point *p = &l->point[l->n++];
	struct store_query q = {.since = WALL_BEGIN, .until = WALL_END, .port = -1, .gap_us = 20000};
	struct record_sum sum = {0};
	struct err e = {0};
	char path[512], dir[160];

	*p = (struct lab_point){0};
	(void)snprintf(p->run, sizeof(p->run), "%s", run);
	(void)snprintf(p->name, sizeof(p->name), "%.*s", (int)strcspn(file, "."), file);
	(void)snprintf(path, sizeof(path), "%s/%s/%s", set, run, file);
	(void)snprintf(dir, sizeof(dir), "%s/%s-%s", l->dir, p->run, p->name);
	struct record_param param = {.dir = dir, .point = p->name};
	if (store_prepare(&world_real, dir, &e) != STATUS_OK ||
		record_file(&world_real, &param, path, &sum, &e) != STATUS_OK ||
		recording_read(&p->rec, &world_real, dir, &q, &e) != STATUS_OK)
		give_up(path, e.text);
}

static void load_run(struct lab *l, const char *set, const char *run)
{
	char path[512];
	struct dirent *x;

	(void)snprintf(path, sizeof(path), "%s/%s", set, run);
	DIR *d = opendir(path);
	if (!d)
		give_up(path, "no such run");
	while ((x = readdir(d)) != NULL) {
		if (!strstr(x->d_name, ".pcap"))
			continue;
		l->point = realloc(l->point, (l->n + 1) * sizeof(*l->point));
		if (!l->point)
			give_up(path, "no memory");
		load_point(l, set, run, x->d_name);
	}
	(void)closedir(d);
	load_truth(l->names, set, run);
}

static int by_place(const void *a, const void *b)
{
	const struct lab_point *x = a, *y = b;
	int c = strcmp(x->run, y->run);

	return c ? c : strcmp(x->name, y->name);
}

static void sessions(struct lab *l, struct lab_point *p)
{
	char text[FLOW_TEXT];

	p->session = calloc(p->rec.n_flow + 1, sizeof(*p->session));
	for (size_t i = 0; p->session && i < p->rec.n_flow; i++)
		p->session[i] =
			root(l->names, name_of(l->names, p->run, flow_text(text, &p->rec.flow[i].head)));
}

void lab_load(struct lab *l, const char *set, const char *only)
{
	DIR *d = opendir(set);
	struct dirent *x;

	*l = (struct lab){.names = calloc(1, sizeof(struct names))};
	(void)snprintf(l->dir, sizeof(l->dir), "/tmp/weir-recognise-XXXXXX");
	if (!d || !l->names || !mkdtemp(l->dir))
		give_up(set, "cannot be read");
	while ((x = readdir(d)) != NULL)
		if (x->d_name[0] != '.' && (!only || strcmp(only, x->d_name) == 0))
			load_run(l, set, x->d_name);
	(void)closedir(d);
	qsort(l->point, l->n, sizeof(*l->point), by_place);
	for (size_t i = 0; i < l->n; i++)
		sessions(l, &l->point[i]);
}

void lab_free(struct lab *l)
{
	struct names *s = l->names;
	char cmd[128];

	for (size_t i = 0; i < l->n; i++) {
		recording_free(&l->point[i].rec);
		free(l->point[i].session);
	}
	free(l->point);
	free(s->v);
	free(s);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", l->dir);
	if (system(cmd) != 0)
		(void)fprintf(stderr, "%s stays\n", l->dir);
}

static bool same_ends(const struct flow *a, const struct flow *b)
{
	const struct endpoint *x = a->head.end, *y = b->head.end;

	return a->head.proto == b->head.proto &&
	       ((endpoint_equal(&x[0], &y[0]) && endpoint_equal(&x[1], &y[1])) ||
		       (endpoint_equal(&x[0], &y[1]) && endpoint_equal(&x[1], &y[0])));
}

const struct flow *lab_same(const struct lab_point *p, const struct flow *f)
{
	for (size_t i = 0; i < p->rec.n_flow; i++) {
		const struct flow *g = &p->rec.flow[i];
		if (same_ends(f, g) && f->head.first_us <= g->last_us + 5 * SECOND_US &&
			g->head.first_us <= f->last_us + 5 * SECOND_US)
			return g;
	}
	return NULL;
}

int lab_session(const struct lab_point *p, const struct flow *f)
{
	return p->session[f - p->rec.flow];
}
