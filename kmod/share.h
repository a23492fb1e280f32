/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page cache sharing for EROFS: everything that the patched upstream files
 * call, and the state that they carry for us.
 *
 * The hooks in hooks/ include this file from erofs' internal.h and insert the
 * calls declared in the first half.  The second half is what our own files
 * tell each other.  None of it is visible outside erofs.ko.
 *
 * Words used throughout:
 *   real inode	  the inode of a file in a mounted image
 *   shared inode  an inode of a domain's internal superblock; its page cache
 *		  holds the contents of every real inode attached to it
 *   domain	  the set of mounts that share page cache, and that superblock
 *   fingerprint  the digest of a file's contents, an extended attribute that
 *		  mkfs.erofs wrote into the image
 */
#ifndef __EROFS_SHARE_H
#define __EROFS_SHARE_H

#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/siphash.h>
#include <linux/types.h>
#include "counters.h"

struct backing_dev_info;
struct erofs_map_blocks;
struct erofs_sb_info;
struct erofs_xattr_entry;
struct erofs_xattr_prefix_item;
struct fs_context;
struct fs_context_operations;
struct qstr;
struct seq_file;

/*
 * Mainline's own page cache sharing is another design under the same options.
 * Where a kernel has it, it is compiled out.
 */
#undef CONFIG_EROFS_FS_PAGE_CACHE_SHARE

/* Incompatible feature of images: long prefixes of attribute names. */
#define EROFS_SHARE_INCOMPAT_PREFIXES	0x00000040
/* Compatible feature: the table of prefixes lies in the metadata area. */
#define EROFS_SHARE_COMPAT_PLAIN_PREFIXES	0x00000010
#define EROFS_SHARE_KNOWN_INCOMPAT					\
	(EROFS_ALL_FEATURE_INCOMPAT | EROFS_SHARE_INCOMPAT_PREFIXES)

/* 4 * 64 bits: a keyed digest of a domain id, never the id itself. */
#define EROFS_SHARE_DIGEST_WORDS	4

/**
 * struct erofs_share_digest - what is kept of a domain id
 * @word: keyed digest of the id; the keys live as long as the module
 */
struct erofs_share_digest {
	u64 word[EROFS_SHARE_DIGEST_WORDS];
};

/**
 * struct erofs_share_sb - our part of struct erofs_sb_info
 * @wanted: the option inode_share was given
 * @has_id: the option domain_id was given, @id is valid
 * @id: digest of the domain id
 * @domain: the domain this mount is a member of; NULL when it does not share
 * @of_domain: in the members of @domain
 * @bdi: that of the mount, with a reference
 * @ra_pages: readahead window of @bdi when it was last looked at
 * @io_pages: its largest request, likewise
 * @name: the prefix that is the whole name of the fingerprint attribute
 * @name_index: what an attribute has for a namespace whose name is all @name
 * @reads: reads of this image into shared folios, and decompression queues of
 *	any folios, that have not ended, apart from those that their reader waits
 *	for with the file held open
 * @mount: what is counted of it
 */
struct erofs_share_sb {
	bool wanted;
	bool has_id;
	struct erofs_share_digest id;
	struct erofs_share_domain *domain;
	struct list_head of_domain;
	struct backing_dev_info *bdi;
	unsigned long ra_pages;
	unsigned long io_pages;
	const struct erofs_xattr_prefix_item *name;
	u8 name_index;
	atomic_t reads;
	struct erofs_share_mount mount;
};

/* Called by the patched upstream files, see hooks/ for where and why. */
extern struct fs_context_operations erofs_share_context_ops;

void erofs_share_module_init(const struct fs_context_operations *stock);
void erofs_share_sb_free(struct erofs_share_sb *share);
void erofs_share_show_options(struct seq_file *seq,
			      const struct erofs_share_sb *share);
bool erofs_share_plain_prefixes(const struct erofs_sb_info *sbi);
void erofs_share_fill_inode(struct inode *inode);
void erofs_share_evict_inode(struct inode *inode);
void erofs_share_detach(struct inode *inode);
void erofs_share_backing_file(struct file *file);
void erofs_share_wait_reads(struct super_block *sb);
bool erofs_share_cluster_differs(struct super_block *sb,
				 const struct erofs_map_blocks *map,
				 unsigned int algorithm, unsigned int size,
				 unsigned int pageofs_out);
void erofs_share_queue_begin(struct super_block *sb, bool sync);
void erofs_share_queue_end(struct super_block *sb);

/* xattr_prefixes.c, where the kernel has no long prefixes */
int erofs_share_match_prefix(struct super_block *sb,
			     const struct erofs_xattr_entry *entry, int index,
			     const struct qstr *name, unsigned int *infix_len);
unsigned int erofs_share_base_index(struct super_block *sb, unsigned int index);
const char *erofs_share_full_prefix(struct super_block *sb, unsigned int index,
				    const char *prefix);

extern const struct address_space_operations erofs_share_aops;

/**
 * erofs_share_real_inode - whose image serves a read into a mapping
 * @mapping: the mapping that is read into
 * @file: the file it is read for, NULL only where @mapping is not shared
 *
 * Stands where upstream takes @mapping->host.  A shared mapping's host is the
 * shared inode, which has no data of its own; each read is served by the image
 * of the file it is issued for.
 *
 * Return: the inode to map blocks with, pinned by @file or by @mapping.
 */
static inline struct inode *
erofs_share_real_inode(struct address_space *mapping, struct file *file)
{
	if (likely(mapping->a_ops != &erofs_share_aops))
		return mapping->host;
	return file_inode(file);
}

/* Between our own files. */

#define EROFS_SHARE_ID_MAX		255	/* bytes, without the NUL */
#define EROFS_SHARE_FINGERPRINT_MAX	256	/* bytes */

/* domain.c */
void erofs_share_digest_id(struct erofs_share_digest *digest, const char *id);
bool erofs_share_digest_equal(const struct erofs_share_digest *a,
			      const struct erofs_share_digest *b);
int erofs_share_domain_join(struct super_block *sb);
void erofs_share_change_readahead(struct erofs_share_domain *domain);
struct super_block *
erofs_share_domain_sb(const struct erofs_share_domain *domain);

/* fingerprint.c */
int erofs_share_find_fingerprints(struct super_block *sb);
int erofs_share_read_fingerprint(struct inode *inode, u8 *value);

/* options.c */
void erofs_share_options_init(const struct fs_context_operations *stock);

/* shared_inode.c */
bool erofs_share_may_back(struct file *file);
extern const struct super_operations erofs_share_sops;
void erofs_share_inode_init(void);

#endif
