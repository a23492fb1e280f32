// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fingerprints: where an image keeps them, and reading one.
 *
 * mkfs.erofs --xattr-inode-digest=NAME gives each regular file an extended
 * attribute NAME whose value is "sha256:" and the 32 bytes of the digest.  The
 * superblock says which NAME that is: compatible feature 0x20, and the index of
 * NAME in the table of long attribute name prefixes in the byte that follows
 * xattr_filter_reserved.  Stock kernels before 6.18 know neither, so both are
 * defined here.  Source: include/erofs_fs.h and lib/xattr.c of erofs-utils 1.9.
 *
 * A value is taken as it is.  What else mkfs may write there one day is no less
 * a name for the contents than "sha256:..." is.
 */
#include "compat.h"
#include "xattr.h"

#define EROFS_SHARE_COMPAT_PLAIN_PREFIXES	0x00000010
#define EROFS_SHARE_COMPAT_FINGERPRINTS		0x00000020

/* Offset of the prefix index in the image. */
#define EROFS_SHARE_PREFIX_ID_OFFSET					\
	(EROFS_SUPER_OFFSET +						\
	 offsetofend(struct erofs_super_block, xattr_filter_reserved))

/**
 * erofs_share_plain_prefixes - does the prefix table lie in the metadata area?
 * @sbi: the image, its superblock read
 *
 * Images with compatible feature 0x10 keep the table of attribute name prefixes
 * there even when they have a packed inode, where an older kernel would look
 * for it.  Only mounts with inode_share are told, so that the others behave as
 * they do with the stock module.
 *
 * Return: true if the table must not be looked for in the packed inode.
 */
bool erofs_share_plain_prefixes(const struct erofs_sb_info *sbi)
{
	return sbi->share.wanted &&
		(sbi->feature_compat & EROFS_SHARE_COMPAT_PLAIN_PREFIXES);
}

/**
 * erofs_share_find_fingerprints - learn how an image names its fingerprints
 * @sb: superblock of the mount, with its attribute prefixes read
 *
 * Fills in xattr_index and xattr_name of the mount's share state.
 *
 * Context: May sleep.
 * Return: 0; -ENODATA if the image has no fingerprints; -EFSCORRUPTED if it
 *	says it has but names no attribute; or -ENOMEM, or an error of reading
 *	the superblock.
 */
int erofs_share_find_fingerprints(struct super_block *sb)
{
	struct erofs_buf buf = __EROFS_BUF_INITIALIZER;
	struct erofs_sb_info *sbi = EROFS_SB(sb);
	struct erofs_xattr_prefix_item *item;
	unsigned int id;
	u8 *ptr;

	if (!(sbi->feature_compat & EROFS_SHARE_COMPAT_FINGERPRINTS))
		return -ENODATA;

	ptr = erofs_read_metabuf(&buf, sb, EROFS_SHARE_PREFIX_ID_OFFSET,
				 EROFS_KMAP);
	if (IS_ERR(ptr))
		return PTR_ERR(ptr);
	id = *ptr;
	erofs_put_metabuf(&buf);

	if (id >= sbi->xattr_prefix_count) {
		erofs_err(sb, "fingerprint attribute %u is not among the %u attribute name prefixes",
			  id, sbi->xattr_prefix_count);
		return -EFSCORRUPTED;
	}
	item = &sbi->xattr_prefixes[id];
	sbi->share.xattr_index = item->prefix->base_index;
	sbi->share.xattr_name = kmemdup_nul(item->prefix->infix,
					    item->infix_len, GFP_KERNEL);
	return sbi->share.xattr_name ? 0 : -ENOMEM;
}

/**
 * erofs_share_read_fingerprint - read the fingerprint of a file
 * @inode: real inode of a mount in a domain
 * @value: where to put it, EROFS_SHARE_FINGERPRINT_MAX bytes
 *
 * Context: May sleep.
 * Return: the fingerprint's length, at least 1; -ENODATA if the file has none
 *	that can be used, which will not change; or an error of this attempt.
 */
int erofs_share_read_fingerprint(struct inode *inode, u8 *value)
{
	const struct erofs_share_sb *share = &EROFS_I_SB(inode)->share;
	int ret;

	ret = erofs_getxattr(inode, share->xattr_index, share->xattr_name,
			     value, EROFS_SHARE_FINGERPRINT_MAX);
	switch (ret) {
	case 0:			/* empty */
	case -ERANGE:		/* too long */
	case -ENOATTR:
	case -EOPNOTSUPP:	/* attributes in a form that nobody knows */
	case -EFSCORRUPTED:
		return -ENODATA;
	default:
		return ret;
	}
}
