/* The table of back ends. */
#include "block/backend.h"

const struct backend *backend_find(const char *name)
{
	static const struct backend *const all[] = {&backend_nft, &backend_exabgp};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	return NULL;
}
