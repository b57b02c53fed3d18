/* Times and spans as text and back: see clock.h. */
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Days since 1970-01-01 of a proleptic Gregorian date (counting years from March, so that leap days
 * come last). */
static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void date_of(int64_t days, int64_t *y, int64_t *m, int64_t *d)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t doe = days - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp + (mp < 10 ? 3 : -9);
	*y = yoe + era * 400 + (*m <= 2);
}

char *wall_text(char to[WALL_TEXT], struct wall t)
{
	int64_t y, m, d, s = t.us / SECOND_US, us = t.us % SECOND_US;

	if (us < 0) {
		us += SECOND_US;
		s--;
	}
	int64_t days = s >= 0 ? s / 86400 : -((86399 - s) / 86400);
	int64_t sod = s - days * 86400;
	date_of(days, &y, &m, &d);
	(void)snprintf(to, WALL_TEXT, "%04lld-%02lld-%02lldT%02lld:%02lld:%02lld.%06lldZ", (long long)y,
		(long long)m, (long long)d, (long long)(sod / 3600), (long long)(sod / 60 % 60),
		(long long)(sod % 60), (long long)us);
	return to;
}

char *wall_day(char to[WALL_TEXT], struct wall t)
{
	*(strchr(wall_text(to, t), 'T')) = '\0';
	return to;
}

/* Reads exactly n digits; moves *s on. */
static bool digits(const char **s, int n, int64_t *v)
{
	*v = 0;
	for (int i = 0; i < n; i++, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		*v = *v * 10 + (**s - '0');
	}
	return true;
}

static bool literal(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

/* ".123456789": microseconds, further digits cut. */
static int64_t fraction(const char **s)
{
	int64_t us = 0, unit = 100000;

	if (!literal(s, '.'))
		return 0;
	for (; **s >= '0' && **s <= '9'; (*s)++, unit /= 10)
		us += (**s - '0') * unit;
	return us;
}

/* None is UTC, as weir prints it. */
static bool zone(const char *s, int64_t *us)
{
	int64_t h, m;
	int sign = *s == '-' ? -1 : 1;

	*us = 0;
	if (!*s || strcmp(s, "Z") == 0 || strcmp(s, "z") == 0)
		return true;
	if (*s != '+' && *s != '-')
		return false;
	s++;
	if (!digits(&s, 2, &h) || (*s == ':' && !s++) || !digits(&s, 2, &m) || *s || h > 23 || m > 59)
		return false;
	*us = sign * (h * 3600 + m * 60) * SECOND_US;
	return true;
}

static bool epoch_parse(struct wall *t, const char *s)
{
	char *end;

	if (*s == '@')
		s++;
	if (*s < '0' || *s > '9')
		return false;
	long long sec = strtoll(s, &end, 10);
	if (sec > INT64_C(1000000000000))
		return false;
	const char *rest = end;
	t->us = sec * SECOND_US + fraction(&rest);
	return *rest == '\0';
}

bool wall_parse(struct wall *t, const char *s)
{
	const char *p = s;
	int64_t y, mo, d, h = 0, mi = 0, sec = 0, us = 0, off = 0;

	if (!digits(&p, 4, &y) || !literal(&p, '-') || !digits(&p, 2, &mo) || !literal(&p, '-') ||
		!digits(&p, 2, &d))
		return epoch_parse(t, s);
	if (*p == 'T' || *p == 't' || *p == ' ') {
		p++;
		if (!digits(&p, 2, &h) || !literal(&p, ':') || !digits(&p, 2, &mi) || !literal(&p, ':') ||
			!digits(&p, 2, &sec))
			return false;
		us = fraction(&p);
		if (!zone(p, &off))
			return false;
	} else if (*p) {
		return false;
	}
	if (mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 || mi > 59 || sec > 60)
		return false;
	int64_t yy, mm, dd, day = days_of(y, mo, d);
	date_of(day, &yy, &mm, &dd);
	if (dd != d) /* 31 February and its like */
		return false;
	t->us = (day * 86400 + h * 3600 + mi * 60 + sec) * SECOND_US + us - off;
	return true;
}

#define SPAN_MAX INT64_C(3000000000000000000) /* microseconds: 95,000 years */

bool span_parse(int64_t *us, const char *s)
{
	static const struct {
		const char *unit;
		int64_t us;
	} units[] = {{"us", 1}, {"ms", 1000}, {"s", SECOND_US}, {"m", 60 * SECOND_US},
		{"h", 3600 * SECOND_US}, {"d", 86400 * SECOND_US}, {"w", 7 * 86400 * SECOND_US}};
	int64_t sum = 0;

	if (!*s)
		return false;
	while (*s) {
		size_t n = strspn(s, "0123456789"), i, k;
		if (n == 0 || n > 9)
			return false;
		int64_t v = strtoll(s, NULL, 10);
		s += n;
		k = strcspn(s, "0123456789");
		for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			if (strlen(units[i].unit) == k && strncmp(s, units[i].unit, k) == 0)
				break;
		if (i == sizeof(units) / sizeof(units[0]) || v > (SPAN_MAX - sum) / units[i].us)
			return false;
		sum += v * units[i].us;
		s += k;
	}
	*us = sum;
	return true;
}
