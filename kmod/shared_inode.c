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
 * nodes and Coda files have it.  Its own i_data keeps the address space operations
 * of the image's layout, and stays empty unless an image lies in the file that
 * cannot be read through the shared mapping.
 */
#include <linux/backing-dev.h>
#include <linux/blkdev.h>
#include <linux/pagemap.h>
#include <linux/random.h>
#include <linux/statfs.h>
#include <linux/uio.h>
#include "compat.h"

/*
 * In erofs_inode.flags: opened without being attached, which stays so until the
 * inode is evicted.  Set under i_lock, as long as it is not attached.
 */
#define EROFS_I_UNSHARED_BIT	8

/*
 * What a shared inode is to images that lie in files.  The first use decides for its
 * life time: a file of an image may claim to have the contents of the file that the
 * image lies in, or of one whose image makes the same claim.  If one shared inode
 * were both, reading a folio of it could wait for that very folio.
 */
enum erofs_share_role {
	EROFS_SHARE_ANY,
	EROFS_SHARE_IMAGE,	/* images are read through it */
	EROFS_SHARE_INNER,	/* images in files are read into it */
};

/**
 * struct erofs_share_key - which contents a shared inode holds
 * @tally: what is counted of the shared inode that owns this
 * @role: an enum erofs_share_role
 * @size: of the file, in bytes
 * @len: of @fingerprint
 * @fingerprint: as the image has it
 *
 * The size is part of the key so that a fingerprint which lies cannot make a
 * file longer than it is.
 */
struct erofs_share_key {
	struct erofs_share_tally tally;
	unsigned int role;
	loff_t size;
	unsigned int len;
	u8 fingerprint[] __counted_by(len);
};

static hsiphash_key_t erofs_share_hash_key __ro_after_init;

/*
 * The stock tables with .open added: for plain files, for those on devices with
 * blocks that are larger than a sector, and for compressed files.
 */
static struct file_operations erofs_share_file_fops __ro_after_init;
static struct file_operations erofs_share_large_block_fops __ro_after_init;
static struct file_operations erofs_share_ro_fops __ro_after_init;

/* Can the shared inode have this role, besides those that it has? */
static bool erofs_share_take_role(struct inode *shared, unsigned int role)
{
	struct erofs_share_key *key = shared->i_private;
	unsigned int old = cmpxchg(&key->role, EROFS_SHARE_ANY, role);

	return old == EROFS_SHARE_ANY || old == role;
}

/*
 * Drivers redirect the i_mapping of their device nodes, which any image can have,
 * to mappings that may be gone by now: look at regular files only.
 */
static bool erofs_share_attached(const struct inode *inode)
{
	const struct address_space *mapping;

	if (!S_ISREG(inode->i_mode))
		return false;
	mapping = READ_ONCE(inode->i_mapping);
	return mapping != &inode->i_data && mapping->a_ops == &erofs_share_aops;
}

/* Returns a key to be freed by the caller, or an error. */
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
	key->role = EROFS_SHARE_ANY;
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
		erofs_share_count_shared(inode, &key->tally);
		unlock_new_inode(inode);
	}
	return inode;
}

/*
 * The shared inode of the contents of @inode, with a reference and @inode counted
 * in it, as @link says.  NULL where there is none: no fingerprint that can be used,
 * no memory, metadata that cannot be read, or a file that may not be read through
 * this one.
 */
static struct inode *erofs_share_get_shared(struct inode *inode,
					    struct erofs_share_link **link)
{
	struct erofs_share_key *key;
	struct inode *shared;

	if (!i_size_read(inode) || IS_DAX(inode))
		return NULL;
	key = erofs_share_read_key(inode);
	if (IS_ERR(key))
		return NULL;
	shared = erofs_share_iget(inode->i_sb, key);
	if (!shared)
		return NULL;
	if (!erofs_is_fileio_mode(EROFS_I_SB(inode)) ||
	    erofs_share_take_role(shared, EROFS_SHARE_INNER)) {
		*link = erofs_share_count_file(inode,
					       erofs_share_tally_of(shared));
		if (*link)
			return shared;
	}
	iput(shared);
	return NULL;
}

/*
 * The first open decides, once, whether a real inode is attached.  Failing is no
 * error: the file is then read unshared, as it would be without the option.  A
 * later open may not attach it, since files and mappings made before would stay
 * with its own pages, where nobody finds them who starts from the inode.
 */
static void erofs_share_attach(struct inode *inode, const struct file *file)
{
	struct erofs_share_link *link;
	struct inode *shared = NULL;
	bool attached = false;

	/*
	 * A file handle can name what is no inode but the contents of a file:
	 * only what was found by its name in a directory is a file of the image.
	 */
	if (!(READ_ONCE(file->f_path.dentry->d_flags) & DCACHE_DISCONNECTED))
		shared = erofs_share_get_shared(inode, &link);

	/* many may open the file for the first time at once */
	spin_lock(&inode->i_lock);
	if (!erofs_share_attached(inode) &&
	    !test_bit(EROFS_I_UNSHARED_BIT, &EROFS_I(inode)->flags)) {
		if (shared) {
			inode->i_private = link;
			/* who sees this sees the link */
			smp_store_release(&inode->i_mapping, shared->i_mapping);
			attached = true;
		} else {
			set_bit(EROFS_I_UNSHARED_BIT, &EROFS_I(inode)->flags);
		}
	}
	spin_unlock(&inode->i_lock);

	if (shared && !attached) {
		erofs_share_uncount_file(link);
		iput(shared);
	}
}

/* Has somebody changed the readahead window of the image's device? */
static void erofs_share_update_readahead(struct super_block *sb)
{
	const struct erofs_share_sb *share = &EROFS_SB(sb)->share;
	const struct backing_dev_info *bdi = share->bdi;

	if (unlikely(READ_ONCE(bdi->ra_pages) != READ_ONCE(share->ra_pages) ||
		     READ_ONCE(bdi->io_pages) != READ_ONCE(share->io_pages)))
		erofs_share_change_readahead(share->domain);
}

static int erofs_share_open(struct inode *inode, struct file *file)
{
	if (unlikely(!erofs_share_attached(inode)) &&
	    !test_bit(EROFS_I_UNSHARED_BIT, &EROFS_I(inode)->flags))
		erofs_share_attach(inode, file);
	if (!erofs_share_attached(inode))
		return 0;
	erofs_share_update_readahead(inode->i_sb);

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

/*
 * A loop device asks the superblock of the mapping that it reads how large direct
 * reads must be.  That of a shared mapping has no device, so the loop device sends
 * smaller ones than it would without sharing.  Serve these from the page cache.
 */
static ssize_t erofs_share_large_block_read(struct kiocb *iocb,
					    struct iov_iter *to)
{
	struct super_block *sb = file_inode(iocb->ki_filp)->i_sb;

	if ((iocb->ki_flags & IOCB_DIRECT) && (current->flags & PF_KTHREAD) &&
	    ((iocb->ki_pos | iov_iter_count(to) | iov_iter_alignment(to)) &
	     (bdev_logical_block_size(sb->s_bdev) - 1)))
		iocb->ki_flags &= ~IOCB_DIRECT;
	return erofs_file_fops.read_iter(iocb, to);
}

/**
 * erofs_share_may_back - may an image be read through the mapping of its file?
 * @file: the file that holds an image or an extra device of it
 *
 * Context: Does not sleep.
 * Return: true if it may; then no file of an image in a file is ever attached to
 *	that mapping, where it is a shared one.
 */
bool erofs_share_may_back(struct file *file)
{
	static struct lock_class_key image;
	struct address_space *mapping = file->f_mapping;

	if (mapping->a_ops != &erofs_share_aops)
		return true;
	if (!erofs_share_take_role(mapping->host, EROFS_SHARE_IMAGE))
		return false;
	/* it is taken below that of a mapping which the image is read into */
	lockdep_set_class(&mapping->invalidate_lock, &image);
	return true;
}

/**
 * erofs_share_backing_file - find a mapping that an image can be read through
 * @file: the file that holds an image or an extra device of it; nobody but the
 *	mount has it
 *
 * Context: @file has not been read or mapped.
 */
void erofs_share_backing_file(struct file *file)
{
	if (!erofs_share_may_back(file))
		file->f_mapping = &file_inode(file)->i_data;
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
	struct block_device *bdev = inode->i_sb->s_bdev;

	/*
	 * Reading an image that lies in a file of another one takes the
	 * invalidate_lock of a mapping of each.  Lockdep has one class for all
	 * inodes of a filesystem type and would take that for a deadlock.  Such
	 * images never nest deeper (see erofs_fc_fill_super()), so one more class
	 * tells them apart.
	 */
	if (erofs_is_fileio_mode(EROFS_I_SB(inode)))
		lockdep_set_class(&inode->i_mapping->invalidate_lock,
				  &file_backed);
	if (!EROFS_I_SB(inode)->share.domain || !S_ISREG(inode->i_mode))
		return;
	if (inode->i_fop == &erofs_file_fops)
		inode->i_fop = bdev && bdev_logical_block_size(bdev) > SECTOR_SIZE ?
			&erofs_share_large_block_fops : &erofs_share_file_fops;
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
	struct inode *shared;

	if (erofs_share_attached(inode)) {
		shared = inode->i_mapping->host;
		inode->i_mapping = &inode->i_data;
		erofs_share_uncount_file(inode->i_private);
		iput(shared);
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
	erofs_share_large_block_fops = erofs_share_file_fops;
	erofs_share_large_block_fops.read_iter = erofs_share_large_block_read;
	erofs_share_ro_fops = generic_ro_fops;
	erofs_share_ro_fops.open = erofs_share_open;
}
