// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared inodes: finding or making the one for a file's contents, attaching the
 * file's real inode to it when the file is opened, and letting go again.
 *
 * References: an attached real inode holds one on its shared inode, from its
 * first open to its eviction.  Nothing else does.  A shared inode is hashed, has
 * one link and follows the VFS's default rules, so once the last real inode is
 * gone it stays for as long as it has pages and its domain lives.
 *
 * An attached inode's i_mapping points at the shared mapping, as block device
 * nodes and Coda files have it.  Its own i_data stays empty, and keeps the
 * address space operations of the image's layout.
 */
#include <linux/pagemap.h>
#include <linux/random.h>
#include <linux/statfs.h>
#include "compat.h"

/* In erofs_inode.flags: no usable fingerprint, so do not look again. */
#define EROFS_I_UNSHARED_BIT	8

/**
 * struct erofs_share_key - which contents a shared inode holds
 * @tally: what is counted of the shared inode that owns this
 * @size: of the file, in bytes
 * @len: of @fingerprint
 * @fingerprint: as the image has it
 *
 * The size is part of the key so that a fingerprint which lies cannot make a
 * file longer than it is.
 */
struct erofs_share_key {
	struct erofs_share_tally tally;
	loff_t size;
	unsigned int len;
	u8 fingerprint[] __counted_by(len);
};

static hsiphash_key_t erofs_share_hash_key __ro_after_init;

/* The stock tables with .open added, for plain and for compressed files. */
static struct file_operations erofs_share_file_fops __ro_after_init;
static struct file_operations erofs_share_ro_fops __ro_after_init;

/*
 * Reading an image that lies in a file of another one takes the invalidate_lock
 * of a mapping of each.  Lockdep has one class for all inodes of a filesystem
 * type and would take that for a deadlock.  Such images never nest deeper (see
 * erofs_fc_fill_super()), so one more class of each kind tells them apart.
 */
static void erofs_share_classify(struct inode *inode, struct super_block *image,
				 struct lock_class_key *file_backed)
{
	if (erofs_is_fileio_mode(EROFS_SB(image)))
		lockdep_set_class(&inode->i_mapping->invalidate_lock,
				  file_backed);
}

static bool erofs_share_attached(const struct inode *inode)
{
	return READ_ONCE(inode->i_mapping) != &inode->i_data;
}

/* Returns a key to be freed by the caller, or an error; -ENODATA is final. */
static struct erofs_share_key *erofs_share_read_key(struct inode *inode)
{
	u8 fingerprint[EROFS_SHARE_FINGERPRINT_MAX];
	struct erofs_share_key *key;
	int len;

	len = erofs_share_read_fingerprint(inode, fingerprint);
	if (len < 0)
		return ERR_PTR(len);

	key = kmalloc(struct_size(key, fingerprint, len), GFP_KERNEL_ACCOUNT);
	if (!key)
		return ERR_PTR(-ENOMEM);
	key->size = i_size_read(inode);
	key->len = len;
	memcpy(key->fingerprint, fingerprint, len);
	return key;
}

static int erofs_share_test_key(struct inode *inode, void *data)
{
	const struct erofs_share_key *have = inode->i_private, *want = data;

	return have->size == want->size && have->len == want->len &&
		!memcmp(have->fingerprint, want->fingerprint, want->len);
}

/* The new inode owns the key from here on. */
static int erofs_share_set_key(struct inode *inode, void *data)
{
	inode->i_private = data;
	return 0;
}

static struct erofs_share_tally *erofs_share_tally_of(struct inode *shared)
{
	struct erofs_share_key *key = shared->i_private;

	return &key->tally;
}

/*
 * Find the shared inode for @key in the domain of the mount @image, or make it.
 * Takes over @key in any case.  Returns a reference, or NULL when there is no
 * memory.
 */
static struct inode *erofs_share_iget(struct super_block *image,
				      struct erofs_share_key *key)
{
	static struct lock_class_key file_backed;
	struct super_block *sb =
		erofs_share_domain_sb(EROFS_SB(image)->share.domain);
	const u32 hash = hsiphash(key->fingerprint, key->len,
				  &erofs_share_hash_key);
	struct inode *inode;

	inode = iget5_locked(sb, (unsigned long)(hash + key->size),
			     erofs_share_test_key, erofs_share_set_key, key);
	if (!inode || inode->i_private != key)
		kfree(key);
	if (inode && inode_state_read_once(inode) & I_NEW) {
		inode->i_ino = get_next_ino();
		inode->i_mode = S_IFREG | 0444;
		i_size_write(inode, key->size);
		inode->i_mapping->a_ops = &erofs_share_aops;
		erofs_share_large_folios(inode->i_mapping);
		erofs_share_classify(inode, image, &file_backed);
		erofs_share_count_shared(inode, &key->tally);
		unlock_new_inode(inode);
	}
	return inode;
}

/*
 * Attach a real inode to the shared inode of its contents.  Failing is no
 * error: the file is then read unshared, as it would be without the option.
 */
static void erofs_share_attach(struct inode *inode)
{
	struct erofs_share_key *key;
	struct inode *shared;

	if (!i_size_read(inode) || IS_DAX(inode))
		return;

	key = erofs_share_read_key(inode);
	if (IS_ERR(key)) {
		if (PTR_ERR(key) == -ENODATA)
			set_bit(EROFS_I_UNSHARED_BIT, &EROFS_I(inode)->flags);
		return;
	}

	shared = erofs_share_iget(inode->i_sb, key);
	if (!shared)
		return;
	if (erofs_share_count_file(inode, erofs_share_tally_of(shared))) {
		iput(shared);
		return;
	}

	/* many may open the file for the first time at once: one attaches it */
	if (cmpxchg(&inode->i_mapping, &inode->i_data, shared->i_mapping) !=
	    &inode->i_data) {
		erofs_share_uncount_file(inode);
		iput(shared);
	}
}

static int erofs_share_open(struct inode *inode, struct file *file)
{
	if (unlikely(!erofs_share_attached(inode)) &&
	    !test_bit(EROFS_I_UNSHARED_BIT, &EROFS_I(inode)->flags))
		erofs_share_attach(inode);
	if (!erofs_share_attached(inode))
		return 0;

	/*
	 * The VFS took the inode's mapping before it called us.  Meanwhile we or
	 * another open may have attached the inode.
	 */
	file->f_mapping = READ_ONCE(inode->i_mapping);

	/*
	 * The VFS asks the mapping whether the file can do direct I/O, but that
	 * depends on the layout of this image: answer for it.
	 */
	if (inode->i_data.a_ops->direct_IO)
		file->f_mode |= FMODE_CAN_ODIRECT;
	return 0;
}

/**
 * erofs_share_fill_inode - let a real inode attach when it is opened
 * @inode: inode that erofs_fill_inode() has set up
 *
 * Context: @inode is new and locked.
 */
void erofs_share_fill_inode(struct inode *inode)
{
	static struct lock_class_key file_backed;

	erofs_share_classify(inode, inode->i_sb, &file_backed);
	if (!EROFS_I_SB(inode)->share.domain || !S_ISREG(inode->i_mode))
		return;
	if (inode->i_fop == &erofs_file_fops)
		inode->i_fop = &erofs_share_file_fops;
	else if (inode->i_fop == &generic_ro_fops)
		inode->i_fop = &erofs_share_ro_fops;
}

/**
 * erofs_share_detach - give up the reference on the shared inode
 * @inode: inode that is going, its own pages are gone already
 *
 * Reads that the inode has issued into the shared mapping may still be in
 * flight: they use the superblock, never the inode, and erofs_share_wait_reads()
 * waits for them.
 *
 * Context: May sleep, may be called in reclaim.
 */
void erofs_share_detach(struct inode *inode)
{
	struct address_space *mapping = inode->i_mapping;

	if (mapping != &inode->i_data) {
		inode->i_mapping = &inode->i_data;
		erofs_share_uncount_file(inode);
		iput(mapping->host);
	}
}

/**
 * erofs_share_evict_inode - ->evict_inode where the stock module has none
 * @inode: inode that is going
 *
 * Does what the VFS does for filesystems without this operation, then detaches.
 *
 * Context: May sleep, may be called in reclaim.
 */
void erofs_share_evict_inode(struct inode *inode)
{
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	erofs_share_detach(inode);
}

/*
 * Shared inodes are struct erofs_inode like all others, for the tracepoints
 * which take folio->mapping->host for one.
 */
static struct inode *erofs_share_alloc_inode(struct super_block *sb)
{
	return erofs_sops.alloc_inode(sb);
}

static void erofs_share_evict_shared(struct inode *inode)
{
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	/* the root of the domain's superblock is none of ours */
	if (inode->i_private)
		erofs_share_uncount_shared(inode, erofs_share_tally_of(inode));
}

static void erofs_share_free_inode(struct inode *inode)
{
	kfree(inode->i_private);
	erofs_sops.free_inode(inode);
}

const struct super_operations erofs_share_sops = {
	.alloc_inode	= erofs_share_alloc_inode,
	.evict_inode	= erofs_share_evict_shared,
	.free_inode	= erofs_share_free_inode,
	.statfs		= simple_statfs,
};

/**
 * erofs_share_inode_init - set up what all shared inodes have in common
 *
 * Called once, before the filesystem is registered.
 */
void __init erofs_share_inode_init(void)
{
	get_random_bytes(&erofs_share_hash_key, sizeof(erofs_share_hash_key));

	erofs_share_file_fops = erofs_file_fops;
	erofs_share_file_fops.open = erofs_share_open;
	erofs_share_ro_fops = generic_ro_fops;
	erofs_share_ro_fops.open = erofs_share_open;
}
