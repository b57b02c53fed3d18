/* Conditions that every proven pair meets, shared by the test that asks for them (link_order.c, link_shape.c)
 * and the index that looks for pairs that could meet them (index.c).  tests/trace/scan_sound.c fails where
 * they part. */
#ifndef WEIR_TRACE_LINK_GATES_H
#define WEIR_TRACE_LINK_GATES_H

#define FOLLOW_US   400000 /* how far a copy may be behind */
#define LOST_MAX    0.25   /* share of OUT's answers that nothing towards IN need follow */
#define SOURCES_MIN 6      /* with fewer answers nothing is proven */

#endif
