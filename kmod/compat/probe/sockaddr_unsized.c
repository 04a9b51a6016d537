// SPDX-License-Identifier: GPL-2.0-only
#include <linux/net.h>

int probe(struct socket *sock, struct sockaddr_unsized *addr, int len);

int probe(struct socket *sock, struct sockaddr_unsized *addr, int len)
{
	return kernel_bind(sock, addr, len);
}
