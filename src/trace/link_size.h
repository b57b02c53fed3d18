/* Sizes of answers: whether what OUT answered is what IN answered. */
#ifndef WEIR_TRACE_LINK_SIZE_H
#define WEIR_TRACE_LINK_SIZE_H

#include "trace/link_lane.h"

/* A train and the lane that was made of it, with the offset that put it on IN's clock. */
struct sized {
	const struct lane *lane;
	const struct link_train *train;
	int64_t offset_us;
};

/* 1 if IN's next answer changes its size as OUT's does, in nearly all of enough changes. */
int size_follows(const struct sized *out_back, const struct sized *in_back);

#endif
