/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only place with kernel version checks.  The rest of kmod/ is written
 * against the newest kernel's interfaces; what an older kernel names or does
 * differently is made to look like that here.
 */
#ifndef __EROFS_SHARE_COMPAT_H
#define __EROFS_SHARE_COMPAT_H

#include <linux/fs_context.h>
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/version.h>
#include "internal.h"

/* 7.0 */
#if KERNEL_VERSION(7, 0, 0) <= LINUX_VERSION_CODE
#include <linux/fserror.h>
#endif

/* 6.6: crypto_memneq() has a header of its own */
#if KERNEL_VERSION(6, 6, 0) > LINUX_VERSION_CODE
#include <crypto/algapi.h>
#else
#include <crypto/utils.h>
#endif

/*
 * 6.6, and updates of 6.1: which 6.1 has them is a matter of its update, so they
 * are looked for by name.
 */
#ifndef __counted_by
#define __counted_by(...)
#endif

#ifndef in_range
#define in_range(val, start, len)	((u64)(val) - (start) < (len))
#endif

/* 7.0 */
#ifndef kzalloc_obj
#define kzalloc_obj(obj)	kzalloc(sizeof(obj), GFP_KERNEL)
#endif

/* 6.5: <linux/cleanup.h>, which <linux/slab.h> includes */
#ifndef no_free_ptr
#define no_free_ptr(p) ({			\
	__auto_type __slot = &(p);		\
	__auto_type __taken = *__slot;		\
	*__slot = NULL;				\
	__taken;				\
})
#endif

/* 6.19: inode->i_state is read through a function */
#if KERNEL_VERSION(6, 19, 0) > LINUX_VERSION_CODE
#define inode_state_read_once(inode)	READ_ONCE((inode)->i_state)
#endif

/*
 * 6.17: metadata may lie in an inode, and with it inode data.  Until then, the
 * last argument said how to map what was read; before 6.10, the third was a
 * block instead of an offset, and the result the start of that block.
 */
#if KERNEL_VERSION(6, 17, 0) > LINUX_VERSION_CODE
static inline bool erofs_inode_in_metabox(const struct inode *inode)
{
	return false;
}

static inline void *erofs_share_read_metabuf(struct erofs_buf *buf,
					     struct super_block *sb,
					     erofs_off_t offset,
					     bool in_metabox)
{
#if KERNEL_VERSION(6, 10, 0) > LINUX_VERSION_CODE
	void *block = erofs_read_metabuf(buf, sb, erofs_blknr(sb, offset),
					 EROFS_KMAP);

	return IS_ERR(block) ? block : block + erofs_blkoff(sb, offset);
#elif KERNEL_VERSION(6, 15, 0) > LINUX_VERSION_CODE
	return erofs_read_metabuf(buf, sb, offset, EROFS_KMAP);
#else
	return erofs_read_metabuf(buf, sb, offset, true);
#endif
}

#define erofs_read_metabuf erofs_share_read_metabuf

static inline bool
erofs_sb_has_shared_ea_in_metabox(const struct erofs_sb_info *sbi)
{
	return false;
}

static inline loff_t erofs_share_metabox_size(const struct erofs_sb_info *sbi)
{
	return 0;
}
#else
static inline loff_t erofs_share_metabox_size(const struct erofs_sb_info *sbi)
{
	return i_size_read(sbi->metabox_inode);
}
#endif

/* 6.16: an image may start anywhere in its file or device */
static inline erofs_off_t erofs_share_dev_start(const struct erofs_map_dev *dev)
{
#if KERNEL_VERSION(6, 16, 0) > LINUX_VERSION_CODE
	return 0;
#else
	return dev->m_dif->fsoff;
#endif
}

/* 6.12: images in regular files, and all that says which device is meant */
#if KERNEL_VERSION(6, 12, 0) > LINUX_VERSION_CODE
static inline bool erofs_is_fileio_mode(const struct erofs_sb_info *sbi)
{
	return false;
}

static inline struct bio *erofs_fileio_bio_alloc(struct erofs_map_dev *dev)
{
	return NULL;
}

static inline void erofs_fileio_submit_bio(struct bio *bio)
{
}

#define erofs_share_image_blocks(sbi)	((sbi)->primarydevice_blocks)

static inline struct file *
erofs_share_image_file(const struct erofs_sb_info *sbi)
{
	return NULL;
}

static inline struct file *
erofs_share_device_file(const struct erofs_device_info *dif)
{
	return NULL;
}

static inline struct file **erofs_share_source(const struct fs_context *fc)
{
	return NULL;
}
#else
#define erofs_share_image_blocks(sbi)	((sbi)->dif0.blocks)
#define erofs_share_image_file(sbi)	((sbi)->dif0.file)
#define erofs_share_device_file(dif)	((dif)->file)
#define erofs_share_source(fc)		(&erofs_share_context(fc)->dif0.file)
#endif

static inline bool erofs_share_same_dev(const struct erofs_map_dev *a,
					const struct erofs_map_dev *b)
{
#if KERNEL_VERSION(6, 12, 0) > LINUX_VERSION_CODE
	return a->m_bdev == b->m_bdev;
#else
	return a->m_bdev == b->m_bdev && a->m_dif == b->m_dif;
#endif
}

/* 6.11: all of erofs reads large folios */
static inline void erofs_share_large_folios(struct address_space *mapping)
{
#if KERNEL_VERSION(6, 11, 0) <= LINUX_VERSION_CODE
	mapping_set_large_folios(mapping);
#endif
}

/*
 * 6.9: options are parsed into the state of the superblock to be, which is gone
 * from the fs context when it has become one.  Until then they had a structure
 * of their own, of which the superblock takes the devices.
 */
#if KERNEL_VERSION(6, 9, 0) > LINUX_VERSION_CODE
#define erofs_share_context(fc)	((struct erofs_fs_context *)(fc)->fs_private)
#define erofs_share_unused_context(fc)	(!!erofs_share_context(fc)->devs)
#else
#define erofs_share_context(fc)	((struct erofs_sb_info *)(fc)->s_fs_info)
#define erofs_share_unused_context(fc)	(!!erofs_share_context(fc))
#endif

/* 7.0: no fscache mode, which the option fsid chooses */
static inline bool erofs_share_wants_fscache(const struct fs_context *fc)
{
#if KERNEL_VERSION(7, 0, 0) > LINUX_VERSION_CODE
	return erofs_share_context(fc)->fsid;
#else
	return false;
#endif
}

/*
 * 7.0: errors of reading are told to fanotify.  Everybody who reads a folio with
 * an error of an earlier readahead asks for that folio alone, so it is enough to
 * tell there.  The caller waits for it anyway.
 */
static inline void erofs_share_tell_error(struct inode *inode,
					  struct folio *folio)
{
#if KERNEL_VERSION(7, 0, 0) <= LINUX_VERSION_CODE
	if (!folio_wait_locked_killable(folio) && !folio_test_uptodate(folio))
		fserror_report_io(inode, FSERR_BUFFERED_READ, folio_pos(folio),
				  folio_size(folio), -EIO, GFP_NOFS);
#endif
}

/* 6.7 */
#if KERNEL_VERSION(6, 7, 0) > LINUX_VERSION_CODE
static inline void erofs_share_folio_end_read(struct folio *folio, bool success)
{
	if (success)
		folio_mark_uptodate(folio);
	folio_unlock(folio);
}

#define folio_end_read erofs_share_folio_end_read

/* Without large folios, @offset and @len lie in the one page. */
static inline void erofs_share_memcpy_to_folio(struct folio *folio,
					       size_t offset, const char *from,
					       size_t len)
{
	memcpy_to_page(folio_page(folio, 0), offset, from, len);
}

#define memcpy_to_folio erofs_share_memcpy_to_folio

/* There since 5.16, but not for modules. */
static inline bool erofs_share_bio_add_folio(struct bio *bio,
					     struct folio *folio, size_t len,
					     size_t offset)
{
	return bio_add_page(bio, folio_page(folio, 0), len, offset) == len;
}

#define bio_add_folio erofs_share_bio_add_folio
#endif

/*
 * 6.3: no flags, and what lies behind the end of a file is a hole of the length
 * that was asked for instead of none.
 */
#ifdef EROFS_GET_BLOCKS_RAW
static inline int erofs_share_map_blocks(struct inode *inode,
					 struct erofs_map_blocks *map)
{
	if (map->m_la >= i_size_read(inode)) {
		map->m_flags = 0;
		map->m_deviceid = 0;
		map->m_plen = map->m_llen;
		return 0;
	}
	return erofs_map_blocks(inode, map, EROFS_GET_BLOCKS_RAW);
}

#define erofs_map_blocks(inode, map)	erofs_share_map_blocks(inode, map)
#endif

/*
 * 6.4: long prefixes of attribute names.  Before, xattr_prefixes.c has what
 * fs/erofs/xattr.c has since.
 */
#if KERNEL_VERSION(6, 4, 0) > LINUX_VERSION_CODE
/**
 * struct erofs_xattr_long_prefix - a prefix, as it lies in the image
 * @base_index: number of the namespace that it is in
 * @infix: how names go on after that of the namespace, not terminated
 */
struct erofs_xattr_long_prefix {
	u8 base_index;
	char infix[];
};

/**
 * struct erofs_xattr_prefix_item - a prefix, as it is used
 * @prefix: as it lies in the image, owned
 * @infix_len: of @prefix->infix
 * @full: namespace and infix, for listing; NULL if nobody knows the namespace
 */
struct erofs_xattr_prefix_item {
	struct erofs_xattr_long_prefix *prefix;
	u8 infix_len;
	char *full;
};

int erofs_share_prefixes_init(struct super_block *sb);
void erofs_share_prefixes_free(struct erofs_sb_info *sbi);
#else
static inline int erofs_share_prefixes_init(struct super_block *sb)
{
	return 0;
}

static inline void erofs_share_prefixes_free(struct erofs_sb_info *sbi)
{
}
#endif

#endif
