/* Finding an address in bytes whose format does not matter: see address.c. */
#ifndef WEIR_CASE_ADDRESS_H
#define WEIR_CASE_ADDRESS_H

#include "base/ip.h"

/* Does this address stand somewhere in n bytes, as an address of its own? */
bool address_in_text(const void *p, size_t n, const struct ip *address);

#endif
