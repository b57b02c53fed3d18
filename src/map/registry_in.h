/* Private to the registry sheets: their sections. */
#ifndef WEIR_MAP_REGISTRY_IN_H
#define WEIR_MAP_REGISTRY_IN_H

#include "base/bytes.h"
#include "map/registry.h"

#define TAG_STRINGS SHEET_TAG('T', 'E', 'X', 'T')
#define TAG_RIRS    SHEET_TAG('R', 'I', 'R', 'S')
#define TAG_HOLDERS SHEET_TAG('H', 'O', 'L', 'D')
static const uint32_t tag_numbers[NUMBER_KINDS] = {
	SHEET_TAG('D', 'A', 'S', 'N'), SHEET_TAG('D', 'I', 'P', '4'), SHEET_TAG('D', 'I', 'P', '6')};

#endif
