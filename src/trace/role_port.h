/* Which service a port is known for, as far as roles ask. */
#ifndef WEIR_TRACE_ROLE_PORT_H
#define WEIR_TRACE_ROLE_PORT_H

#include <stdint.h>

enum port_class {
	PORT_WEB = 1,    /* HTTP, HTTPS, QUIC */
	PORT_TLS = 2,    /* where a VPN may hide */
	PORT_MAIL = 4,   /* SMTP and submission */
	PORT_LOGIN = 8,  /* SSH, RDP */
	PORT_PROXY = 16, /* SOCKS, HTTP CONNECT */
	PORT_VPN = 32,
	PORT_CHAT = 64,  /* XMPP, IRC */
	PORT_HIGH = 128, /* no other, 1024 and above */
	PORT_OTHER = 256
};

/* One or more of enum port_class (IANA's registry, and what proxies use). */
unsigned role_port(uint8_t proto, uint16_t port);

#endif
