/* One arena per unit of work, freed in one call. */
#ifndef WEIR_BASE_ARENA_H
#define WEIR_BASE_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena {
	struct arena_block *head;
};

/* n zeroed bytes, 16-aligned, owned by the arena; NULL when memory is out. */
void *arena_alloc(struct arena *a, size_t n);

/* n * size with an overflow check. */
void *arena_array(struct arena *a, size_t n, size_t size);

/* A copy of s. */
char *arena_str(struct arena *a, const char *s);

/* What `from` owns is a's from now on; from is empty. */
void arena_adopt(struct arena *a, struct arena *from);

void arena_free(struct arena *a);

#endif
