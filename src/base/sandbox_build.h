/* Private to the sandbox: is this a build with a sanitizer?  Its run-time reads /proc and uses system calls
 * of its own (LeakSanitizer traces the process from a clone), which no other build may. */
#ifndef WEIR_BASE_SANDBOX_BUILD_H
#define WEIR_BASE_SANDBOX_BUILD_H

#ifndef __has_feature
#define __has_feature(x) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) ||     \
	__has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#endif
