/* What writer and reader of trains share: bounds and names.  For train.c and train_read.c alone. */
#ifndef WEIR_RECORD_TRAIN_IN_H
#define WEIR_RECORD_TRAIN_IN_H

#include "record/train.h"

#define TRAIN_TIME_MAX    INT64_C(7258118400000000) /* 2200-01-01 */
#define TRAIN_TOTAL_MAX   (UINT64_C(1) << 62)
#define TRAIN_BURST_BYTES (TRAIN_TOTAL_MAX / TRAIN_BURSTS) /* 70 TB: so that sums stay below */
#define TRAIN_POINT       64                               /* bytes of a point's name, with the zero */

struct train_flag {
	uint8_t bit;
	const char *name;
};

enum { TRAIN_FLAGS = 6 };
extern const struct train_flag train_flags[TRAIN_FLAGS];
extern const uint8_t train_isn_flag[2];        /* says that the initial sequence number is known */
extern const char *const train_source_name[2]; /* by enum source_kind */

#endif
