// SPDX-License-Identifier: GPL-2.0-only
/*
 * Long prefixes of extended attribute names, for kernels that do not know them.
 *
 * An image with incompatible feature 0x40 has a table of name prefixes.  An
 * attribute whose namespace number has the top bit set names an entry of that
 * table with the other bits: its name is the entry's namespace, the entry's infix
 * and what stands in the attribute.  6.4 and newer have all of this in
 * fs/erofs/xattr.c; Kbuild leaves this file out there, and the hook long-prefixes
 * finds nothing to do.
 *
 * In the image, an entry of the table is 4-byte aligned: its length in two bytes
 * (little endian), the number of the namespace in one, the infix.  Source:
 * include/erofs_fs.h and lib/xattr.c of erofs-utils 1.9.
 */
#include <linux/slab.h>
#include "compat.h"
#include "xattr.h"

#define EROFS_SHARE_LONG_PREFIX		0x80

/* Where the image's superblock says how many there are, and where. */
#define EROFS_SHARE_PREFIX_COUNT_OFFSET					\
	(EROFS_SUPER_OFFSET +						\
	 offsetofend(struct erofs_super_block, dirblkbits))
#define EROFS_SHARE_PREFIX_START_OFFSET	(EROFS_SHARE_PREFIX_COUNT_OFFSET + 1)

/* The prefix that an attribute's namespace number names, NULL if it names none. */
static const struct erofs_xattr_prefix_item *
erofs_share_prefix_item(struct super_block *sb, unsigned int index)
{
	const struct erofs_sb_info *sbi = EROFS_SB(sb);
	unsigned int nr = index & ~EROFS_SHARE_LONG_PREFIX;

	if (!(index & EROFS_SHARE_LONG_PREFIX) || nr >= sbi->xattr_prefix_count)
		return NULL;
	return &sbi->xattr_prefixes[nr];
}

/**
 * erofs_share_match_prefix - can an attribute have the name that is looked for?
 * @sb: the image
 * @entry: the attribute
 * @index: number of the namespace that is looked in
 * @name: the name within that namespace
 * @infix_len: how much of @name the attribute's prefix stands for is put here
 *
 * Stands where the stock code compares the namespace and the length of the name.
 * The caller compares the rest of the name, from @infix_len on.
 *
 * Context: Does not sleep.
 * Return: 0 if it can; -ENODATA if it cannot.
 */
int erofs_share_match_prefix(struct super_block *sb,
			     const struct erofs_xattr_entry *entry, int index,
			     const struct qstr *name, unsigned int *infix_len)
{
	const struct erofs_xattr_prefix_item *item;
	int base = entry->e_name_index;

	*infix_len = 0;
	if (entry->e_name_index & EROFS_SHARE_LONG_PREFIX) {
		item = erofs_share_prefix_item(sb, entry->e_name_index);
		if (!item || name->len < item->infix_len ||
		    memcmp(name->name, item->prefix->infix, item->infix_len))
			return -ENODATA;
		base = item->prefix->base_index;
		*infix_len = item->infix_len;
	}
	return index == base && name->len == *infix_len + entry->e_name_len ?
		0 : -ENODATA;
}

/**
 * erofs_share_base_index - number of the namespace that an attribute is in
 * @sb: the image
 * @index: the number that stands in the attribute
 *
 * Context: Does not sleep.
 * Return: the number, or 0, which no namespace has.
 */
unsigned int erofs_share_base_index(struct super_block *sb, unsigned int index)
{
	const struct erofs_xattr_prefix_item *item;

	if (!(index & EROFS_SHARE_LONG_PREFIX))
		return index;
	item = erofs_share_prefix_item(sb, index);
	return item ? item->prefix->base_index : 0;
}

/**
 * erofs_share_full_prefix - what stands in front of an attribute's name in a list
 * @sb: the image
 * @index: the number that stands in the attribute; its namespace is known
 * @prefix: the prefix of the namespace alone
 *
 * Context: Does not sleep.
 * Return: @prefix, or a string that lives as long as the mount.
 */
const char *erofs_share_full_prefix(struct super_block *sb, unsigned int index,
				    const char *prefix)
{
	const struct erofs_xattr_prefix_item *item;

	item = erofs_share_prefix_item(sb, index);
	return item && item->full ? item->full : prefix;
}

/*
 * Where prefixes are read from: the packed inode or, with @packed NULL, the
 * image's metadata area.
 */
struct erofs_share_prefix_reader {
	struct super_block *sb;
	struct inode *packed;
	struct erofs_buf buf;
	erofs_off_t pos;
};

static int erofs_share_prefix_read(struct erofs_share_prefix_reader *r,
				   void *to, unsigned int len)
{
	unsigned int slice;
	void *block;

	while (len) {
		if (r->packed) {
			block = erofs_bread(&r->buf, r->packed,
					    erofs_blknr(r->sb, r->pos),
					    EROFS_KMAP);
			if (!IS_ERR(block))
				block += erofs_blkoff(r->sb, r->pos);
		} else {
			block = erofs_read_metabuf(&r->buf, r->sb, r->pos, false);
		}
		if (IS_ERR(block))
			return PTR_ERR(block);

		slice = min_t(unsigned int, len, r->sb->s_blocksize -
					erofs_blkoff(r->sb, r->pos));
		memcpy(to, block, slice);
		to += slice;
		len -= slice;
		r->pos += slice;
	}
	return 0;
}

static int erofs_share_prefix_read_item(struct erofs_share_prefix_reader *r,
					struct erofs_xattr_prefix_item *item)
{
	const struct xattr_handler *handler;
	unsigned int len;
	__le16 disk_len;
	int err;

	r->pos = round_up(r->pos, 4);
	err = erofs_share_prefix_read(r, &disk_len, sizeof(disk_len));
	if (err)
		return err;
	len = le16_to_cpu(disk_len);
	if (len < sizeof(*item->prefix) ||
	    len > sizeof(*item->prefix) + EROFS_NAME_LEN)
		return -EFSCORRUPTED;

	item->prefix = kmalloc(len, GFP_KERNEL);
	if (!item->prefix)
		return -ENOMEM;
	err = erofs_share_prefix_read(r, item->prefix, len);
	if (err)
		return err;
	item->infix_len = len - sizeof(*item->prefix);

	handler = erofs_xattr_handler(item->prefix->base_index);
	if (!handler)
		return 0;
	item->full = kasprintf(GFP_KERNEL, "%s%.*s", xattr_prefix(handler),
			       item->infix_len, item->prefix->infix);
	return item->full ? 0 : -ENOMEM;
}

/* How many prefixes there are; where the first lies is left in @r->pos. */
static int erofs_share_prefix_count(struct erofs_share_prefix_reader *r, u8 *nr)
{
	__le32 start;
	int err;

	r->pos = EROFS_SHARE_PREFIX_COUNT_OFFSET;
	err = erofs_share_prefix_read(r, nr, sizeof(*nr));
	if (err)
		return err;
	r->pos = EROFS_SHARE_PREFIX_START_OFFSET;
	err = erofs_share_prefix_read(r, &start, sizeof(start));
	r->pos = (erofs_off_t)le32_to_cpu(start) << 2;
	return err;
}

static int erofs_share_prefix_read_all(struct erofs_share_prefix_reader *r)
{
	struct erofs_sb_info *sbi = EROFS_SB(r->sb);
	int i, err;
	u8 nr;

	err = erofs_share_prefix_count(r, &nr);
	if (err || !nr)
		return err;
	erofs_put_metabuf(&r->buf);

#ifdef CONFIG_EROFS_FS_ZIP
	if (!(sbi->feature_compat & EROFS_SHARE_COMPAT_PLAIN_PREFIXES))
		r->packed = sbi->packed_inode;
#endif
	sbi->xattr_prefixes = kcalloc(nr, sizeof(*sbi->xattr_prefixes),
				      GFP_KERNEL);
	if (!sbi->xattr_prefixes)
		return -ENOMEM;
	/* from here on, erofs_share_prefixes_free() frees what was read */
	sbi->xattr_prefix_count = nr;
	for (i = 0; i < nr && !err; i++)
		err = erofs_share_prefix_read_item(r, &sbi->xattr_prefixes[i]);
	return err;
}

/**
 * erofs_share_prefixes_init - read the prefixes of an image
 * @sb: superblock of the mount, which nobody can look at yet
 *
 * Context: May sleep.
 * Return: 0, or a negative errno when the mount has to fail.
 */
int erofs_share_prefixes_init(struct super_block *sb)
{
	struct erofs_share_prefix_reader reader = {
		.sb = sb,
		.buf = __EROFS_BUF_INITIALIZER,
	};
	int err;

	if (!(EROFS_SB(sb)->feature_incompat & EROFS_SHARE_INCOMPAT_PREFIXES))
		return 0;
	err = erofs_share_prefix_read_all(&reader);
	erofs_put_metabuf(&reader.buf);
	if (err)
		erofs_err(sb, "cannot read the attribute name prefixes (%d)",
			  err);
	return err;
}

/**
 * erofs_share_prefixes_free - free what erofs_share_prefixes_init() has read
 * @sbi: the image; all its inodes are gone
 */
void erofs_share_prefixes_free(struct erofs_sb_info *sbi)
{
	unsigned int i;

	for (i = 0; i < sbi->xattr_prefix_count; i++) {
		kfree(sbi->xattr_prefixes[i].prefix);
		kfree(sbi->xattr_prefixes[i].full);
	}
	kfree(sbi->xattr_prefixes);
}
