// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fingerprints: where an image keeps them, and reading one.
 *
 * mkfs.erofs --xattr-inode-digest gives each regular file an extended attribute
 * whose value is "sha256:" and the 32 bytes of the digest.  The superblock says
 * what its name is: compatible feature 0x20, and the index of the name in the
 * table of long attribute name prefixes in the byte that follows
 * xattr_filter_reserved.  Stock kernels before 6.18 know neither, so both are
 * defined here.  Source: include/erofs_fs.h and lib/xattr.c of erofs-utils 1.9.
 *
 * A fingerprint names contents only if nothing else could be meant.  mkfs.erofs
 * keeps an attribute of that name which the source had already (a tar can have
 * one, and overlayfs copies one up with a file that is then changed) beside the
 * one that it computes, sorted by value.  So exactly one attribute of the inode
 * must have the name, inline or shared, and whatever prefix its name is split
 * by.  The filter of names is not believed: it only saves work.
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
 * Fills in name and name_index of the mount's share state.
 *
 * Context: May sleep.
 * Return: 0; -ENODATA if the image has no fingerprints; -EFSCORRUPTED if it
 *	says it has but names no attribute; or an error of reading the
 *	superblock.
 */
int erofs_share_find_fingerprints(struct super_block *sb)
{
	struct erofs_buf buf = __EROFS_BUF_INITIALIZER;
	struct erofs_sb_info *sbi = EROFS_SB(sb);
	unsigned int id;
	u8 *ptr;

	if (!(sbi->feature_compat & EROFS_SHARE_COMPAT_FINGERPRINTS))
		return -ENODATA;

	ptr = erofs_read_metabuf(&buf, sb, EROFS_SHARE_PREFIX_ID_OFFSET, false);
	if (IS_ERR(ptr))
		return PTR_ERR(ptr);
	id = *ptr;
	erofs_put_metabuf(&buf);

	/* attributes can refer to the first 128 only */
	if (id >= min_t(unsigned int, sbi->xattr_prefix_count,
			EROFS_SHARE_LONG_PREFIX)) {
		erofs_err(sb, "fingerprint attribute %u is not among the %u attribute name prefixes",
			  id, sbi->xattr_prefix_count);
		return -EFSCORRUPTED;
	}
	sbi->share.name = &sbi->xattr_prefixes[id];
	sbi->share.name_index = EROFS_SHARE_LONG_PREFIX | id;
	return 0;
}

/* Where the metadata of an image ends.  A device reads as zeroes behind it. */
static erofs_off_t erofs_share_meta_end(struct super_block *sb, bool in_metabox)
{
	const struct erofs_sb_info *sbi = EROFS_SB(sb);

	return in_metabox ? erofs_share_metabox_size(sbi) :
		erofs_pos(sb, erofs_share_image_blocks(sbi));
}

/*
 * The fingerprint where it is the inode's only attribute, in the block that the
 * attributes begin in: so mkfs.erofs writes it for most files, and looking no
 * further keeps first opens cheap.  Returns its length, or 0 if all attributes
 * have to be looked at.
 */
static int erofs_share_only_attribute(struct inode *inode, u8 *value)
{
	struct erofs_buf buf = __EROFS_BUF_INITIALIZER;
	struct super_block *sb = inode->i_sb;
	struct erofs_inode *vi = EROFS_I(inode);
	const erofs_off_t pos = erofs_iloc(inode) + vi->inode_isize;
	const bool in_metabox = erofs_inode_in_metabox(inode);
	const size_t size = vi->xattr_isize;
	const struct erofs_xattr_ibody_header *header;
	const struct erofs_xattr_entry *entry;
	size_t len;
	int ret = 0;

	if (size < sizeof(*header) + sizeof(*entry) ||
	    size > sb->s_blocksize - erofs_blkoff(sb, pos) ||
	    pos + size > erofs_share_meta_end(sb, in_metabox))
		return 0;
	header = erofs_read_metabuf(&buf, sb, pos, in_metabox);
	if (IS_ERR(header))
		return 0;

	entry = (const void *)(header + 1);
	len = le16_to_cpu(entry->e_value_size);
	if (!header->h_shared_count &&
	    entry->e_name_index == EROFS_I_SB(inode)->share.name_index &&
	    !entry->e_name_len && len <= EROFS_SHARE_FINGERPRINT_MAX &&
	    size == sizeof(*header) + EROFS_XATTR_ALIGN(sizeof(*entry) + len)) {
		memcpy(value, entry->e_name, len);
		ret = len;
	}
	erofs_put_metabuf(&buf);
	return ret;
}

/**
 * struct erofs_share_meta - a place in the metadata of an image
 * @sb: the image
 * @pos: where to read next
 * @in_metabox: @pos is in the inode that metadata lies in, where there is one
 * @end: of the metadata there
 * @block: the block that was read last, NULL if there is none
 * @start: where it begins
 * @buf: holds it
 */
struct erofs_share_meta {
	struct super_block *sb;
	erofs_off_t pos;
	bool in_metabox;
	erofs_off_t end;
	const void *block;
	erofs_off_t start;
	struct erofs_buf buf;
};

/**
 * struct erofs_share_found - the fingerprint of an inode
 * @value: where it is put, EROFS_SHARE_FINGERPRINT_MAX bytes
 * @len: of it; 0 as long as there is none
 */
struct erofs_share_found {
	u8 *value;
	unsigned int len;
};

/* What lies at @meta, and how much of @len bytes is in that block. */
static const void *erofs_share_meta_bytes(struct erofs_share_meta *meta,
					  size_t len, size_t *slice)
{
	const size_t offset = erofs_blkoff(meta->sb, meta->pos);
	const erofs_off_t start = meta->pos - offset;
	const void *block;

	if (!meta->block || meta->start != start) {
		block = erofs_read_metabuf(&meta->buf, meta->sb, start,
					   meta->in_metabox);
		if (IS_ERR(block))
			return block;
		meta->block = block;
		meta->start = start;
	}
	*slice = min_t(size_t, len, meta->sb->s_blocksize - offset);
	return meta->block + offset;
}

/* Copies @len bytes and moves on. */
static int erofs_share_meta_copy(struct erofs_share_meta *meta, void *to,
				 size_t len)
{
	const void *from;
	size_t slice;

	for (; len; len -= slice) {
		from = erofs_share_meta_bytes(meta, len, &slice);
		if (IS_ERR(from))
			return PTR_ERR(from);
		memcpy(to, from, slice);
		to += slice;
		meta->pos += slice;
	}
	return 0;
}

/* Are the next @len bytes those of @text?  Moves on where they are. */
static int erofs_share_meta_equals(struct erofs_share_meta *meta,
				   const char *text, size_t len)
{
	const void *bytes;
	size_t slice;

	for (; len; len -= slice) {
		bytes = erofs_share_meta_bytes(meta, len, &slice);
		if (IS_ERR(bytes))
			return PTR_ERR(bytes);
		if (memcmp(bytes, text, slice))
			return 0;
		text += slice;
		meta->pos += slice;
	}
	return 1;
}

/*
 * How much of the fingerprint attribute's name the prefix of @entry stands for.
 * Negative if the name of @entry is another one, whatever follows.
 */
static int erofs_share_infix_len(const struct erofs_sb_info *sbi,
				 const struct erofs_xattr_entry *entry)
{
	const struct erofs_xattr_prefix_item *name = sbi->share.name, *item;
	unsigned int base = entry->e_name_index, infix_len = 0, nr;

	if (base & EROFS_SHARE_LONG_PREFIX) {
		nr = base & ~EROFS_SHARE_LONG_PREFIX;
		if (nr >= sbi->xattr_prefix_count)
			return -1;
		item = &sbi->xattr_prefixes[nr];
		base = item->prefix->base_index;
		infix_len = item->infix_len;
		if (infix_len > name->infix_len ||
		    memcmp(item->prefix->infix, name->prefix->infix, infix_len))
			return -1;
	}
	if (base != name->prefix->base_index ||
	    infix_len + entry->e_name_len != name->infix_len)
		return -1;
	return infix_len;
}

/*
 * Look at the attribute at @meta, which has @room bytes at most.  Returns the
 * bytes that it takes, or an error; -ENODATA if it is a second fingerprint, or
 * one that cannot be used.
 */
static int erofs_share_look_at(struct erofs_share_meta *meta, u64 room,
			       struct erofs_share_found *found)
{
	const struct erofs_sb_info *sbi = EROFS_SB(meta->sb);
	struct erofs_xattr_entry entry;
	unsigned int size, len;
	int infix_len, ret;

	ret = erofs_share_meta_copy(meta, &entry, sizeof(entry));
	if (ret)
		return ret;
	len = le16_to_cpu(entry.e_value_size);
	size = EROFS_XATTR_ALIGN(sizeof(entry) + entry.e_name_len + len);
	if (size > room)
		return -EFSCORRUPTED;

	infix_len = erofs_share_infix_len(sbi, &entry);
	if (infix_len < 0)
		return size;
	ret = erofs_share_meta_equals(meta, sbi->share.name->prefix->infix +
				      infix_len, entry.e_name_len);
	if (ret <= 0)
		return ret ?: size;
	if (found->len || !len || len > EROFS_SHARE_FINGERPRINT_MAX)
		return -ENODATA;
	found->len = len;
	return erofs_share_meta_copy(meta, found->value, len) ?: size;
}

/* The shared attributes of an inode, of which @ids has @count numbers. */
static int erofs_share_look_at_shared(struct erofs_share_meta *ids,
				      unsigned int count,
				      struct erofs_share_found *found)
{
	const struct erofs_sb_info *sbi = EROFS_SB(ids->sb);
	struct erofs_share_meta meta = {
		.sb = ids->sb,
		.in_metabox = erofs_sb_has_shared_ea_in_metabox(sbi),
		.buf = __EROFS_BUF_INITIALIZER,
	};
	int ret = 0;
	__le32 id;

	meta.end = erofs_share_meta_end(ids->sb, meta.in_metabox);
	while (count-- && ret >= 0) {
		ret = erofs_share_meta_copy(ids, &id, sizeof(id));
		if (ret)
			break;
		meta.pos = erofs_pos(ids->sb, sbi->xattr_blkaddr) +
			(erofs_off_t)le32_to_cpu(id) * sizeof(id);
		ret = meta.pos < meta.end ?
			erofs_share_look_at(&meta, meta.end - meta.pos, found) :
			-EFSCORRUPTED;
	}
	erofs_put_metabuf(&meta.buf);
	return min(ret, 0);
}

/* All attributes of the inode whose attributes begin at @meta. */
static int erofs_share_look_at_all(struct erofs_share_meta *meta, size_t left,
				   struct erofs_share_found *found)
{
	struct erofs_xattr_ibody_header header;
	erofs_off_t ids, pos;
	size_t shared;
	int ret;

	if (left < sizeof(header))
		return 0;
	if (meta->pos + left > meta->end)
		return -EFSCORRUPTED;
	ret = erofs_share_meta_copy(meta, &header, sizeof(header));
	if (ret)
		return ret;
	left -= sizeof(header);
	shared = header.h_shared_count * sizeof(__le32);
	if (shared > left)
		return -EFSCORRUPTED;
	left -= shared;

	ids = meta->pos;
	for (pos = ids + shared; left; pos += ret, left -= ret) {
		meta->pos = pos;
		ret = erofs_share_look_at(meta, left, found);
		if (ret < 0)
			return ret;
	}
	meta->pos = ids;
	return erofs_share_look_at_shared(meta, header.h_shared_count, found);
}

/**
 * erofs_share_read_fingerprint - read the fingerprint of a file
 * @inode: real inode of a mount in a domain
 * @value: where to put it, EROFS_SHARE_FINGERPRINT_MAX bytes
 *
 * Context: May sleep.
 * Return: the fingerprint's length, at least 1; or an error, -ENODATA if there
 *	is not exactly one that can be used.
 */
int erofs_share_read_fingerprint(struct inode *inode, u8 *value)
{
	const struct erofs_inode *vi = EROFS_I(inode);
	struct erofs_share_meta meta = {
		.sb = inode->i_sb,
		.pos = erofs_iloc(inode) + vi->inode_isize,
		.in_metabox = erofs_inode_in_metabox(inode),
		.buf = __EROFS_BUF_INITIALIZER,
	};
	struct erofs_share_found found = { .value = value };
	int ret;

	ret = erofs_share_only_attribute(inode, value);
	if (ret)
		return ret;
	meta.end = erofs_share_meta_end(meta.sb, meta.in_metabox);
	ret = erofs_share_look_at_all(&meta, vi->xattr_isize, &found);
	erofs_put_metabuf(&meta.buf);
	if (ret)
		return ret;
	return found.len ?: -ENODATA;
}
