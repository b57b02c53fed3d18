/* Zeek JSON: see fuzz_sensor.h. */
#include "fuzz_sensor.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	return fuzz_sensor(&sensor_zeek, p, n);
}
