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

#define EROFS_SHARE_COMPAT_FINGERPRINTS		0x00000020

/* Offset of the prefix index in the image. */
#define EROFS_SHARE_PREFIX_ID_OFFSET					\
	(EROFS_SUPER_OFFSET +						\
	 offsetofend(struct erofs_super_block, packed_nid) + 1)

/* In the namespace number of an attribute: the rest is an index of a prefix. */
#define EROFS_SHARE_LONG_PREFIX			0x80

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

	ptr = erofs_read_metabuf(&buf, sb, EROFS_SHARE_PREFIX_ID_OFFSET, false);
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
	sbi->share.xattr_prefix = EROFS_SHARE_LONG_PREFIX | id;
	sbi->share.xattr_index = item->prefix->base_index;
	sbi->share.xattr_name = kmemdup_nul(item->prefix->infix,
					    item->infix_len, GFP_KERNEL);
	return sbi->share.xattr_name ? 0 : -ENOMEM;
}

/*
 * The fingerprint, where it is the inode's first attribute and in the block that
 * the attributes begin in: so mkfs.erofs writes it for nearly all files, and
 * erofs_getxattr() takes three times as long for it.  Returns its length, or 0 if
 * it has to be searched for.
 */
static int erofs_share_first_attribute(struct inode *inode, u8 *value)
{
	struct erofs_buf buf = __EROFS_BUF_INITIALIZER;
	struct super_block *sb = inode->i_sb;
	struct erofs_inode *vi = EROFS_I(inode);
	const erofs_off_t pos = erofs_iloc(inode) + vi->inode_isize;
	const size_t end = min_t(size_t, vi->xattr_isize,
				 sb->s_blocksize - erofs_blkoff(sb, pos));
	const struct erofs_xattr_ibody_header *header;
	const struct erofs_xattr_entry *entry;
	size_t ofs = sizeof(*header), len;
	int ret = 0;

	if (ofs > end)
		return 0;
	header = erofs_read_metabuf(&buf, sb, pos,
				    erofs_inode_in_metabox(inode));
	if (IS_ERR(header))
		return 0;

	ofs += header->h_shared_count * sizeof(__le32);
	if (ofs + sizeof(*entry) > end)
		goto out;
	entry = (const void *)header + ofs;
	len = le16_to_cpu(entry->e_value_size);
	if (entry->e_name_index != EROFS_I_SB(inode)->share.xattr_prefix ||
	    entry->e_name_len || len > EROFS_SHARE_FINGERPRINT_MAX ||
	    ofs + sizeof(*entry) + len > end)
		goto out;
	memcpy(value, entry->e_name, len);
	ret = len;
out:
	erofs_put_metabuf(&buf);
	return ret;
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

	ret = erofs_share_first_attribute(inode, value);
	if (ret)
		return ret;
	ret = erofs_getxattr(inode, share->xattr_index, share->xattr_name,
			     value, EROFS_SHARE_FINGERPRINT_MAX);
	switch (ret) {
	case 0:			/* empty */
	case -ERANGE:		/* too long */
	case -ENODATA:
	case -EOPNOTSUPP:	/* attributes in a form that nobody knows */
	case -EFSCORRUPTED:
		return -ENODATA;
	default:
		return ret;
	}
}
