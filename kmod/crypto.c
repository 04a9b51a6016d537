// SPDX-License-Identifier: GPL-2.0-only
/* Digests by the kernel's crypto, which has the fastest for the machine. */
#include <crypto/hash.h>
#include <crypto/poly1305.h>
#include <linux/err.h>

#include "blkrepl.h"

/*
 * Only so that it is there: a handshake that is the first to ask for it would
 * have a module loaded, and wait for threads that know nothing of memory that
 * must not wait for I/O.
 */
static struct crypto_shash *hmac_tfm;

int blkrepl_crypto_init(void)
{
	struct crypto_shash *tfm = crypto_alloc_shash("hmac(sha256)", 0, 0);

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	hmac_tfm = tfm;
	return 0;
}

void blkrepl_crypto_exit(void)
{
	crypto_free_shash(hmac_tfm);
	hmac_tfm = NULL;
}

int blkrepl_hmac(const u8 *key, unsigned int key_len, const u8 *text,
		 unsigned int len, u8 out[REPL_HMAC_LEN])
{
	struct crypto_shash *tfm = crypto_alloc_shash("hmac(sha256)", 0, 0);
	int err;

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	err = crypto_shash_setkey(tfm, key, key_len);
	if (!err)
		err = crypto_shash_tfm_digest(tfm, text, len, out);
	crypto_free_shash(tfm);
	return err;
}

void blkrepl_buf_digest(const struct blkrepl_buf *buf,
			const u8 key[REPL_DIGEST_KEY_LEN],
			u8 out[REPL_DIGEST_LEN])
{
	struct poly1305_desc_ctx ctx;
	unsigned int i;

	BUILD_BUG_ON(REPL_DIGEST_LEN != POLY1305_DIGEST_SIZE);
	BUILD_BUG_ON(REPL_DIGEST_KEY_LEN != POLY1305_KEY_SIZE);
	poly1305_init(&ctx, key);
	for (i = 0; i < buf->nr; i++)
		poly1305_update(&ctx, page_address(buf->vec[i].bv_page),
				buf->vec[i].bv_len);
	poly1305_final(&ctx, out);
}
