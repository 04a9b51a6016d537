// SPDX-License-Identifier: GPL-2.0-only
/*
 * Digests by the kernel's crypto API, which picks the fastest implementation
 * that the machine has.
 */
#include <crypto/hash.h>
#include <linux/err.h>

#include "blkrepl.h"

static struct crypto_shash *sha256_tfm;
/*
 * Only so that it is there: a handshake that is the first to ask for it would
 * have a module loaded, and wait for threads that know nothing of memory that
 * must not wait for I/O.
 */
static struct crypto_shash *hmac_tfm;

int blkrepl_crypto_init(void)
{
	struct crypto_shash *sha256, *hmac;
	int err;

	sha256 = crypto_alloc_shash("sha256", 0, 0);
	if (IS_ERR(sha256))
		return PTR_ERR(sha256);
	err = -EINVAL;
	if (crypto_shash_digestsize(sha256) != REPL_DIGEST_LEN)
		goto err_sha256;
	hmac = crypto_alloc_shash("hmac(sha256)", 0, 0);
	if (IS_ERR(hmac)) {
		err = PTR_ERR(hmac);
		goto err_sha256;
	}
	sha256_tfm = sha256;
	hmac_tfm = hmac;
	return 0;

err_sha256:
	crypto_free_shash(sha256);
	return err;
}

void blkrepl_crypto_exit(void)
{
	crypto_free_shash(hmac_tfm);
	crypto_free_shash(sha256_tfm);
	hmac_tfm = NULL;
	sha256_tfm = NULL;
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

int blkrepl_buf_digest(const struct blkrepl_buf *buf, u8 out[REPL_DIGEST_LEN])
{
	SHASH_DESC_ON_STACK(desc, sha256_tfm);
	unsigned int i;
	int err;

	desc->tfm = sha256_tfm;
	err = crypto_shash_init(desc);
	for (i = 0; i < buf->nr && !err; i++)
		err = crypto_shash_update(desc,
					  page_address(buf->vec[i].bv_page),
					  buf->vec[i].bv_len);
	if (!err)
		err = crypto_shash_final(desc, out);
	shash_desc_zero(desc);
	return err;
}
