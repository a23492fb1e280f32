// SPDX-License-Identifier: GPL-2.0-only
/*
 * Domains: which mounts share page cache with which.
 *
 * A domain is an anonymous superblock.  Shared inodes live in it, so inodes of
 * different domains can never be taken for each other.  It is made for the
 * first mount that names the domain and shut down, with all that it caches,
 * after the last.  Domains are told apart by a keyed digest of their id; the
 * keys are drawn when the module is loaded and never leave it.
 *
 * Images that the kernel verifies whenever it reads them (all of their files have
 * fs-verity) share with such images only: the same id names another domain for
 * the others.
 */
#include <linux/backing-dev.h>
#include <linux/fs_context.h>
#include <linux/hashtable.h>
#include <linux/magic.h>
#include <linux/pseudo_fs.h>
#include <linux/random.h>
#include "compat.h"
#include "version.h"

/**
 * struct erofs_share_domain - the mounts that share, and their superblock
 * @node: in erofs_domains
 * @members: the mounts in this domain, at least one
 * @id: digest of the domain id
 * @verity: all members' files have fs-verity
 * @sb: the superblock with the shared inodes; active as long as the domain is
 * @counts: what is counted of it
 */
struct erofs_share_domain {
	struct hlist_node node;
	struct list_head members;
	struct erofs_share_digest id;
	bool verity;
	struct super_block *sb;
	struct erofs_share_domain_counts counts;
};

/* Protects erofs_domains, the members of each and what they want read ahead. */
static DEFINE_MUTEX(erofs_domains_lock);
static DEFINE_HASHTABLE(erofs_domains, 8);

static siphash_key_t erofs_share_id_keys[EROFS_SHARE_DIGEST_WORDS]
	__ro_after_init;

static int erofs_share_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, EROFS_SUPER_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &erofs_share_sops;
	return 0;
}

/* Not registered: nobody but us can mount it. */
static struct file_system_type erofs_domain_fs_type = {
	.owner		 = THIS_MODULE,
	.name		 = "erofs-domain",
	.init_fs_context = erofs_share_init_fs_context,
	.kill_sb	 = kill_anon_super,
};

/*
 * A superblock without a mount: nobody looks at it by path, and going without
 * spares the last umount of a domain a grace period.
 */
static struct super_block *erofs_share_new_sb(void)
{
	struct backing_dev_info *bdi;
	struct super_block *sb;
	struct fs_context *fc;
	int err;

	fc = fs_context_for_mount(&erofs_domain_fs_type,
				  SB_KERNMOUNT | SB_RDONLY);
	if (IS_ERR(fc))
		return ERR_CAST(fc);

	err = vfs_get_tree(fc);
	if (err) {
		put_fs_context(fc);
		return ERR_PTR(err);
	}

	sb = fc->root->d_sb;
	/*
	 * Readahead and fadvise look at the bdi of the mapping's host.  It is not
	 * registered: in sysfs everybody could see domains come and go.
	 */
	bdi = bdi_alloc(NUMA_NO_NODE);
	if (bdi) {
		sb->s_bdi = bdi;
		atomic_inc(&sb->s_active);	/* ours; put_fs_context drops its own */
	}
	up_write(&sb->s_umount);
	put_fs_context(fc);
	return bdi ? sb : ERR_PTR(-ENOMEM);
}

/*
 * Whether all files that an image is read from have fs-verity: then the kernel
 * compares each page with what the owner of the files signed or measured.
 */
static bool erofs_share_has_verity(struct super_block *sb)
{
	struct erofs_dev_context *devs = EROFS_SB(sb)->devs;
	const struct file *file = erofs_share_image_file(EROFS_SB(sb));
	struct erofs_device_info *dif;
	bool all;
	int id;

	all = file && IS_VERITY(file_inode(file));
	down_read(&devs->rwsem);
	idr_for_each_entry(&devs->tree, dif, id) {
		file = erofs_share_device_file(dif);
		if (file && !IS_VERITY(file_inode(file)))
			all = false;
	}
	up_read(&devs->rwsem);
	return all;
}

static struct erofs_share_domain *
erofs_share_new_domain(const struct erofs_share_digest *id, bool verity)
{
	struct erofs_share_domain *domain;

	domain = kzalloc_obj(*domain);
	if (!domain)
		return ERR_PTR(-ENOMEM);
	domain->sb = erofs_share_new_sb();
	if (IS_ERR(domain->sb)) {
		int err = PTR_ERR(domain->sb);

		kfree(domain);
		return ERR_PTR(err);
	}
	erofs_share_count_domain(&domain->counts, domain->sb);
	domain->id = *id;
	domain->verity = verity;
	INIT_LIST_HEAD(&domain->members);
	return domain;
}

/* Called with erofs_domains_lock held.  A new domain has no members. */
static struct erofs_share_domain *
erofs_share_get_domain(const struct erofs_share_digest *id, bool verity)
{
	/* the bucket depends on the keys, so it tells nothing about the id */
	const u64 bucket = id->word[0];
	struct erofs_share_domain *domain;

	hash_for_each_possible(erofs_domains, domain, node, bucket) {
		if (domain->verity == verity &&
		    erofs_share_digest_equal(&domain->id, id))
			return domain;
	}

	domain = erofs_share_new_domain(id, verity);
	if (!IS_ERR(domain))
		hash_add(erofs_domains, &domain->node, bucket);
	return domain;
}

/*
 * A file's readahead window comes from the bdi that its mapping's host has: let it
 * be the largest that a member has now.  Called with erofs_domains_lock held.
 */
static void erofs_share_set_readahead(struct erofs_share_domain *domain)
{
	struct backing_dev_info *bdi = domain->sb->s_bdi;
	unsigned long ra_pages = 0, io_pages = 0;
	struct erofs_share_sb *member;

	list_for_each_entry(member, &domain->members, of_domain) {
		WRITE_ONCE(member->ra_pages, READ_ONCE(member->bdi->ra_pages));
		WRITE_ONCE(member->io_pages, READ_ONCE(member->bdi->io_pages));
		ra_pages = max(ra_pages, member->ra_pages);
		io_pages = max(io_pages, member->io_pages);
	}
	WRITE_ONCE(bdi->ra_pages, ra_pages);
	WRITE_ONCE(bdi->io_pages, io_pages);
}

/**
 * erofs_share_change_readahead - a member's device has another readahead window
 * @domain: its domain
 *
 * Context: May sleep.
 */
void erofs_share_change_readahead(struct erofs_share_domain *domain)
{
	mutex_lock(&erofs_domains_lock);
	erofs_share_set_readahead(domain);
	mutex_unlock(&erofs_domains_lock);
}

/**
 * erofs_share_domain_join - make a mount a member of its domain
 * @sb: superblock of the mount, its options parsed and its image read
 *
 * On success the mount is one of the domain's members until
 * erofs_share_sb_free().  An image without fingerprints has nothing to share:
 * that is logged, the mount stays without a domain and it is no error.
 *
 * Context: May sleep.  @sb->s_umount is held for writing.
 * Return: 0, or a negative errno when the mount has to fail.
 */
int erofs_share_domain_join(struct super_block *sb)
{
	struct erofs_share_sb *share = &EROFS_SB(sb)->share;
	struct erofs_share_domain *domain;
	int err;

	err = erofs_share_find_fingerprints(sb);
	if (err == -ENODATA) {
		erofs_info(sb, "image has no fingerprints (mkfs.erofs --xattr-inode-digest): inode_share is off");
		return 0;
	}
	if (err)
		return err;

	mutex_lock(&erofs_domains_lock);
	domain = erofs_share_get_domain(&share->id, erofs_share_has_verity(sb));
	if (!IS_ERR(domain)) {
		share->bdi = bdi_get(sb->s_bdi);
		list_add(&share->of_domain, &domain->members);
		erofs_share_set_readahead(domain);
		share->domain = domain;
	}
	mutex_unlock(&erofs_domains_lock);
	if (IS_ERR(domain))
		return PTR_ERR(domain);
	return erofs_share_add_counters(sb);
}

/*
 * Leave the domain.  The last member takes it along; by then no real inode is left
 * to hold a shared inode, and no read into one is in flight.
 */
static void erofs_share_domain_leave(struct erofs_share_sb *share)
{
	struct erofs_share_domain *domain = share->domain;
	bool last;

	mutex_lock(&erofs_domains_lock);
	list_del(&share->of_domain);
	last = list_empty(&domain->members);
	if (last)
		hash_del(&domain->node);
	else
		erofs_share_set_readahead(domain);
	mutex_unlock(&erofs_domains_lock);
	bdi_put(share->bdi);
	if (!last)
		return;

	/* a mount that names this id now makes a domain of its own */
	deactivate_super(domain->sb);
	kfree_sensitive(domain);
}

/**
 * erofs_share_sb_free - free what a mount or an fs context has of ours
 * @share: its state; where a mount was made, all its inodes are gone
 *
 * Context: May sleep.  No superblock's s_umount is held.
 */
void erofs_share_sb_free(struct erofs_share_sb *share)
{
	if (share->domain)
		erofs_share_domain_leave(share);
	erofs_share_prefixes_free(container_of(share, struct erofs_sb_info,
					       share));
}

/**
 * erofs_share_domain_sb - the superblock that a domain's shared inodes live in
 * @domain: a domain that the caller's mount is a member of
 *
 * Return: the superblock, as long-lived as the membership.
 */
struct super_block *
erofs_share_domain_sb(const struct erofs_share_domain *domain)
{
	return domain->sb;
}

/**
 * erofs_share_digest_id - turn a domain id into what we keep of it
 * @digest: where to put it
 * @id: the id; the caller wipes it
 *
 * SipHash with one key a word.  It is a keyed pseudorandom function, and it
 * reads its input word by word into registers: no block buffer with a copy of
 * the id is left on the stack, as a general hash function would leave one.
 */
void erofs_share_digest_id(struct erofs_share_digest *digest, const char *id)
{
	const size_t len = strlen(id);
	int i;

	for (i = 0; i < EROFS_SHARE_DIGEST_WORDS; i++)
		digest->word[i] = siphash(id, len, &erofs_share_id_keys[i]);
}

/**
 * erofs_share_digest_equal - do two digests name the same domain?
 * @a: one
 * @b: the other
 *
 * Return: true if they do; takes the same time either way.
 */
bool erofs_share_digest_equal(const struct erofs_share_digest *a,
			      const struct erofs_share_digest *b)
{
	return !crypto_memneq(a, b, sizeof(*a));
}

/**
 * erofs_share_module_init - set up everything that lives as long as the module
 * @stock: erofs_context_ops of the patched super.c
 *
 * Called once, before the filesystem is registered.  Cannot fail, and leaves
 * nothing that would have to be undone when the module goes.
 */
void __init erofs_share_module_init(const struct fs_context_operations *stock)
{
	get_random_bytes(erofs_share_id_keys, sizeof(erofs_share_id_keys));
	erofs_share_inode_init();
	erofs_share_options_init(stock);
}

/*
 * The stock module has no version.  Ours shows whose module is loaded, and DKMS
 * takes two modules without a version for the same one.
 */
MODULE_VERSION(EROFS_SHARE_VERSION);
