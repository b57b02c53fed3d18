/* Orders: see order.h. */
#include "block/order.h"

void order_write(struct buf *to, const struct order *o)
{
	(void)o;
	buf_put(to, "x", 1);
}
enum status order_read(struct order *to, const void *text, size_t n, struct arena *a, struct err *e)
{
	(void)to;
	(void)text;
	(void)n;
	(void)a;
	return err_set(e, STATUS_MACHINE, "not built yet");
}
