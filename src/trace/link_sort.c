/* Introsort (Musser 1997): quicksort by the middle of three, short pieces by insertion, by heap where it goes
 * too deep; and the same for one place alone (Hoare 1961).  In go one or two columns, sorted by the first
 * they come out.  One column is parted without a
 * branch on what is compared, which would be guessed wrong every other time (Lomuto's partition); two are
 * parted from both ends (Hoare's), which decides in what order equal values come out. */
#include "trace/link_sort.h"

#define SHORT     16
#define SHORT_ONE 12
#define BLOCK     16
#define DEEP      48 /* halvings after which a piece is too unlucky for quicksort */

static void swap(int64_t *v, int64_t *w, size_t i, size_t j)
{
	int64_t t = v[i];
	v[i] = v[j];
	v[j] = t;
	if (w == NULL)
		return;
	t = w[i];
	w[i] = w[j];
	w[j] = t;
}

static void sift(int64_t *v, int64_t *w, size_t root, size_t n)
{
	for (;;) {
		size_t child = 2 * root + 1;
		if (child >= n)
			return;
		if (child + 1 < n && v[child] < v[child + 1])
			child++;
		if (v[root] >= v[child])
			return;
		swap(v, w, root, child);
		root = child;
	}
}

static void heap_sort(int64_t *v, int64_t *w, size_t n)
{
	for (size_t i = n / 2; i > 0; i--)
		sift(v, w, i - 1, n);
	for (size_t i = n; i > 1; i--) {
		swap(v, w, 0, i - 1);
		sift(v, w, 0, i - 1);
	}
}

static void insertion_sort(int64_t *v, int64_t *w, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		int64_t x = v[i], y = w != NULL ? w[i] : 0;
		size_t k = i;
		for (; k > 0 && v[k - 1] > x; k--) {
			v[k] = v[k - 1];
			if (w != NULL)
				w[k] = w[k - 1];
		}
		v[k] = x;
		if (w != NULL)
			w[k] = y;
	}
}

static int64_t middle(int64_t a, int64_t b, int64_t c)
{
	int64_t lo = a < b ? a : b, hi = a < b ? b : a;
	if (c < lo)
		return lo;
	return c > hi ? hi : c;
}

/* The first steps of Hoare's partition, [*i, *j] being what is not parted yet: what is on the wrong side is
 * listed without a branch, a block from either end, and then changed in the same order as one by one
 * (Edelkamp & Weiss 2016).  Leaves less than two blocks to be parted as usual. */
static void part_blocks(int64_t *v, int64_t *w, int64_t pivot, size_t *i, size_t *j)
{
	uint8_t left[BLOCK], right[BLOCK];
	size_t from = *i, to = *j, left_at = 0, right_at = 0;
	size_t n_left = 0, n_right = 0, l = 0, r = 0; /* listed, and of those changed */
	while (to + 1 - from >= 2 * BLOCK) {
		if (l == n_left) {
			left_at = from;
			for (l = n_left = 0; from < left_at + BLOCK; from++) {
				left[n_left] = (uint8_t)(from - left_at);
				n_left += v[from] >= pivot;
			}
		}
		if (r == n_right) {
			right_at = to;
			for (r = n_right = 0; to > right_at - BLOCK; to--) {
				right[n_right] = (uint8_t)(right_at - to);
				n_right += v[to] <= pivot;
			}
		}
		for (; l < n_left && r < n_right; l++, r++)
			swap(v, w, left_at + left[l], right_at - right[r]);
	}
	*i = l < n_left ? left_at + left[l] : from;
	*j = r < n_right ? right_at - right[r] : to;
}

/* Hoare's partition: [0, result) is not above the pivot, the rest not below it; neither is empty. */
static size_t part(int64_t *v, int64_t *w, size_t n)
{
	int64_t pivot = middle(v[0], v[n / 2 - 1], v[n - 2]);
	size_t i = 0, j = n - 1;
	part_blocks(v, w, pivot, &i, &j);
	for (;; i++, j--) {
		while (v[i] < pivot)
			i++;
		while (v[j] > pivot)
			j--;
		if (i >= j)
			return j + 1 < n ? j + 1 : n - 1;
		swap(v, w, i, j);
	}
}

/* The larger part is gone on with, so that the calls nest at most log n deep. */
static void sort_part(int64_t *v, int64_t *w, size_t n, int deep)
{
	for (; n > SHORT; deep--) {
		if (deep == 0) {
			heap_sort(v, w, n);
			return;
		}
		size_t left = part(v, w, n);
		int64_t *w_right = w != NULL ? w + left : NULL;
		if (left < n - left) {
			sort_part(v, w, left, deep - 1);
			v += left;
			w = w_right;
			n -= left;
		} else {
			sort_part(v + left, w_right, n - left, deep - 1);
			n = left;
		}
	}
	insertion_sort(v, w, n);
}

/* [0, result) is below the pivot, the rest is not. */
static size_t part_one(int64_t *v, size_t n, int64_t pivot)
{
	size_t left = 0;
	for (size_t i = 0; i < n; i++) {
		int64_t x = v[i];
		v[i] = v[left];
		v[left] = x;
		left += x < pivot;
	}
	return left;
}

static void sort_one(int64_t *v, size_t n, int deep)
{
	for (; n > SHORT_ONE; deep--) {
		if (deep == 0) {
			heap_sort(v, NULL, n);
			return;
		}
		int64_t pivot = middle(v[0], v[n / 2], v[n - 1]);
		size_t left = part_one(v, n, pivot);
		if (left == 0) { /* the least one: all that equal it are in place after this */
			left = pivot < INT64_MAX ? part_one(v, n, pivot + 1) : n;
			v += left;
			n -= left;
		} else if (left < n - left) {
			sort_one(v, left, deep - 1);
			v += left;
			n -= left;
		} else {
			sort_one(v + left, n - left, deep - 1);
			n = left;
		}
	}
	insertion_sort(v, NULL, n);
}

void link_sort(int64_t *v, int64_t *w, size_t n)
{
	if (w == NULL)
		sort_one(v, n, DEEP);
	else
		sort_part(v, w, n, DEEP);
}

void link_select(int64_t *v, size_t n, size_t k)
{
	for (int deep = DEEP; n > SHORT_ONE; deep--) {
		if (deep == 0) {
			heap_sort(v, NULL, n);
			return;
		}
		int64_t pivot = middle(v[0], v[n / 2], v[n - 1]);
		size_t left = part_one(v, n, pivot);
		if (left == 0) { /* as above */
			left = pivot < INT64_MAX ? part_one(v, n, pivot + 1) : n;
			if (k < left)
				return;
		}
		if (k < left) {
			n = left;
		} else {
			v += left;
			k -= left;
			n -= left;
		}
	}
	insertion_sort(v, NULL, n);
}

int64_t link_spread(int64_t *v, size_t n, int64_t *median)
{
	size_t low = n / 4, mid = n / 2, high = n - 1 - n / 4, from = low + 1;
	link_select(v, n, low);
	if (median != NULL && mid > low) {
		link_select(v + from, n - from, mid - from);
		from = mid + 1;
	}
	if (high >= from)
		link_select(v + from, n - from, high - from);
	if (median != NULL)
		*median = v[mid];
	return v[high] - v[low];
}
