// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters: what a mount shares, below /sys/fs/erofs/DEV/share/.
 *
 * Opening and reading cached files costs nothing here.  Work is done when a file
 * is attached or evicted, when pages are read from an image, and by whoever reads
 * a counter: pages are added up then, shared inode by shared inode, a few at a
 * time.
 *
 * What one tenant's mounts have in memory tells about another's, so all of it is
 * for the administrator: the files are root's alone, and their reader needs
 * CAP_SYS_ADMIN as well, which root of a container has not.  A domain shows as a
 * number that says in which order domains were made, and as nothing else.
 *
 * Who read a page is not kept by page.  A link, of a mount and a shared inode,
 * counts the pages that the mount has read into it; of those that are resident,
 * it is taken to have read the same share.  That is exact for as long as no page
 * was reclaimed, or all of them were, which starts a new epoch.
 *
 * A file of a base image may be open in a thousand mounts, so a shared inode finds
 * the link of one of them in a tree, not in a list.
 *
 * Lists are walked with a place holder, which lets go of the lock now and then
 * without a reference on anything.  New entries go to the front, behind the place
 * holder, so that a walk ends.
 *
 * References: a link belongs to the real inodes that it counts, and these have a
 * reference on the shared inode whose tally it is in.  A tally is a part of its
 * shared inode, and so is the first link.  A mount's directory goes before the
 * mount leaves its domain.
 */
#include <linux/capability.h>
#include <linux/kdev_t.h>
#include <linux/math64.h>
#include <linux/pagemap.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include "compat.h"

/* How many entries of a list are looked at without letting go of the lock. */
#define EROFS_SHARE_WALK_STEP	128

static struct erofs_share_mount *erofs_share_mount_of(const struct inode *inode)
{
	return &EROFS_I_SB(inode)->share.mount;
}

static struct erofs_share_domain_counts *
erofs_share_counts_of(const struct erofs_share_tally *tally)
{
	return tally->mapping->host->i_sb->s_fs_info;
}

/**
 * erofs_share_count_domain - begin to count for a domain
 * @domain: its counts; live as long as @sb
 * @sb: its superblock, which has no shared inode yet
 *
 * Context: Domains are made one at a time.
 */
void erofs_share_count_domain(struct erofs_share_domain_counts *domain,
			      struct super_block *sb)
{
	static u64 domains;

	domain->number = ++domains;
	spin_lock_init(&domain->lock);
	INIT_LIST_HEAD(&domain->tallies);
	sb->s_fs_info = domain;
}

/**
 * erofs_share_count_shared - begin to count for a shared inode
 * @shared: a new shared inode, locked
 * @tally: a part of it
 */
void erofs_share_count_shared(struct inode *shared,
			      struct erofs_share_tally *tally)
{
	struct erofs_share_domain_counts *domain = shared->i_sb->s_fs_info;

	tally->mapping = shared->i_mapping;
	tally->links = RB_ROOT;
	tally->first.mount = NULL;
	tally->files = 0;
	spin_lock_init(&tally->lock);
	tally->epoch = 0;
	tally->pages = 0;

	spin_lock(&domain->lock);
	list_add(&tally->node, &domain->tallies);
	domain->inodes++;
	spin_unlock(&domain->lock);
}

/**
 * erofs_share_uncount_shared - a shared inode is going
 * @shared: the inode, without pages
 * @tally: a part of it that erofs_share_count_shared() was called with
 */
void erofs_share_uncount_shared(struct inode *shared,
				struct erofs_share_tally *tally)
{
	struct erofs_share_domain_counts *domain = shared->i_sb->s_fs_info;

	spin_lock(&domain->lock);
	list_del(&tally->node);
	domain->inodes--;
	spin_unlock(&domain->lock);
}

/* Links of a shared inode are ordered by the address of their mount. */
static int erofs_share_cmp_mount(const void *mount, const struct rb_node *node)
{
	const struct erofs_share_link *link =
		rb_entry(node, struct erofs_share_link, of_shared);

	if (mount == link->mount)
		return 0;
	return mount < (const void *)link->mount ? -1 : 1;
}

static bool erofs_share_link_less(struct rb_node *node,
				  const struct rb_node *other)
{
	return erofs_share_cmp_mount(rb_entry(node, struct erofs_share_link,
					      of_shared)->mount, other) < 0;
}

/* Called with the domain's lock held. */
static struct erofs_share_link *
erofs_share_find_link(const struct erofs_share_tally *tally,
		      const struct erofs_share_mount *mount)
{
	return rb_entry_safe(rb_find(mount, &tally->links,
				     erofs_share_cmp_mount),
			     struct erofs_share_link, of_shared);
}

/*
 * The tally's own link, or else the one in @spare, which is NULL from then on.
 * Called with the domain's lock held.
 */
static struct erofs_share_link *
erofs_share_new_link(struct erofs_share_tally *tally,
		     struct erofs_share_mount *mount,
		     struct erofs_share_link **spare)
{
	struct erofs_share_link *link = &tally->first;

	if (link->mount)
		link = no_free_ptr(*spare);
	link->mount = mount;
	link->tally = tally;
	link->files = 0;
	link->epoch = 0;
	link->pages = 0;
	return link;
}

/**
 * erofs_share_count_file - a real inode is about to be attached
 * @inode: real inode of a mount in a domain
 * @tally: that of the shared inode, which the caller has a reference on
 *
 * Several may do this for one inode at once, before one of them attaches it.  What
 * they get need not be the same: a device may answer each with another fingerprint.
 *
 * Context: May sleep.
 * Return: what to undo it with, by erofs_share_uncount_file(), and to put into
 *	i_private of an inode that is attached; NULL if there is no memory.
 */
struct erofs_share_link *
erofs_share_count_file(struct inode *inode, struct erofs_share_tally *tally)
{
	struct erofs_share_domain_counts *domain = erofs_share_counts_of(tally);
	struct erofs_share_mount *mount = erofs_share_mount_of(inode);
	struct erofs_share_link *link, *new = NULL;

	spin_lock(&domain->lock);
	link = erofs_share_find_link(tally, mount);
	if (!link && tally->first.mount) {
		spin_unlock(&domain->lock);
		new = kmalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
		if (!new)
			return NULL;
		spin_lock(&domain->lock);
		link = erofs_share_find_link(tally, mount);
	}
	if (!link) {
		link = erofs_share_new_link(tally, mount, &new);
		list_add(&link->of_mount, &mount->links);
		rb_add(&link->of_shared, &tally->links, erofs_share_link_less);
	}
	link->files++;
	mount->files++;
	/*
	 * A loop device narrows the mask of the mapping that it reads and puts
	 * back what it found.  Two of them, on two copies of a file, can leave it
	 * narrow.  Nobody has a file of it open now, so no loop device is there.
	 */
	if (!tally->files++)
		mapping_set_gfp_mask(tally->mapping, GFP_HIGHUSER_MOVABLE);
	spin_unlock(&domain->lock);
	kfree(new);
	return link;
}

/**
 * erofs_share_uncount_file - a real inode is detached, or was not attached
 * @link: what erofs_share_count_file() returned for it; the caller still has the
 *	reference on the shared inode
 *
 * Context: Does not sleep, may be called in reclaim.
 */
void erofs_share_uncount_file(struct erofs_share_link *link)
{
	struct erofs_share_tally *tally = link->tally;
	struct erofs_share_domain_counts *domain = erofs_share_counts_of(tally);

	spin_lock(&domain->lock);
	link->mount->files--;
	tally->files--;
	if (--link->files) {
		link = NULL;
	} else {
		list_del(&link->of_mount);
		rb_erase(&link->of_shared, &tally->links);
		link->mount = NULL;
	}
	spin_unlock(&domain->lock);
	if (link && link != &tally->first)
		kfree(link);
}

/**
 * erofs_share_count_read - pages are about to be read into a shared mapping
 * @inode: real inode, attached, whose image serves the read
 * @pages: how many; they are in the mapping already
 *
 * Context: Does not sleep.
 */
void erofs_share_count_read(const struct inode *inode, unsigned long pages)
{
	struct erofs_share_tally *tally;
	struct erofs_share_link *link;

	/* who sees the inode attached sees the link: see erofs_share_attach() */
	smp_rmb();
	link = READ_ONCE(inode->i_private);
	tally = link->tally;

	spin_lock(&tally->lock);
	if (READ_ONCE(tally->mapping->nrpages) <= pages) {
		tally->epoch++;
		tally->pages = 0;
	}
	if (link->epoch != tally->epoch) {
		link->epoch = tally->epoch;
		link->pages = 0;
	}
	link->pages += pages;
	tally->pages += pages;
	spin_unlock(&tally->lock);
}

/* Of @resident pages, how many others than @link's mount have read. */
static u64 erofs_share_foreign(const struct erofs_share_link *link,
			       u64 resident)
{
	struct erofs_share_tally *tally = link->tally;
	u64 own = 0;

	spin_lock(&tally->lock);
	if (link->epoch == tally->epoch && tally->pages)
		own = mul_u64_u64_div_u64(resident, link->pages, tally->pages);
	spin_unlock(&tally->lock);
	return resident - own;
}

/**
 * struct erofs_share_sum - what a walk adds up, in pages
 * @resident: of the shared inodes that were met
 * @foreign: of these, read by another mount
 * @saved: that there would be more without sharing
 */
struct erofs_share_sum {
	u64 resident;
	u64 foreign;
	u64 saved;
};

/* With the lock held: let others have it after every so many entries. */
static void erofs_share_walk_pause(struct erofs_share_domain_counts *domain,
				   unsigned int *entries)
{
	if (++*entries % EROFS_SHARE_WALK_STEP)
		return;
	spin_unlock(&domain->lock);
	cond_resched();
	spin_lock(&domain->lock);
}

/* Each shared inode of a mount once, however many of its files have it. */
static void erofs_share_sum_mount(struct erofs_share_domain_counts *domain,
				  struct erofs_share_mount *mount,
				  struct erofs_share_sum *sum)
{
	struct erofs_share_link here = {}, *link;
	unsigned int entries = 0;
	u64 resident;

	spin_lock(&domain->lock);
	list_add(&here.of_mount, &mount->links);
	while (!list_is_last(&here.of_mount, &mount->links)) {
		link = list_next_entry(&here, of_mount);
		list_move(&here.of_mount, &link->of_mount);
		if (link->tally) {
			resident = READ_ONCE(link->tally->mapping->nrpages);
			sum->resident += resident;
			sum->foreign += erofs_share_foreign(link, resident);
		}
		erofs_share_walk_pause(domain, &entries);
	}
	list_del(&here.of_mount);
	spin_unlock(&domain->lock);
}

/* All shared inodes of a domain, also those that no file is attached to. */
static void erofs_share_sum_domain(struct erofs_share_domain_counts *domain,
				   struct erofs_share_sum *sum)
{
	struct erofs_share_tally here = {}, *tally;
	unsigned int entries = 0;
	u64 resident;

	spin_lock(&domain->lock);
	list_add(&here.node, &domain->tallies);
	while (!list_is_last(&here.node, &domain->tallies)) {
		tally = list_next_entry(&here, node);
		list_move(&here.node, &tally->node);
		if (tally->mapping) {
			resident = READ_ONCE(tally->mapping->nrpages);
			sum->resident += resident;
			if (tally->files > 1)
				sum->saved += resident * (tally->files - 1);
		}
		erofs_share_walk_pause(domain, &entries);
	}
	list_del(&here.node);
	spin_unlock(&domain->lock);
}

/**
 * struct erofs_share_attr - a file in the directory of a mount
 * @attr: as sysfs knows it
 * @value: reads the counter
 */
struct erofs_share_attr {
	struct attribute attr;
	u64 (*value)(struct erofs_share_domain_counts *domain,
		     struct erofs_share_mount *mount);
};

/* The file NAME with the value that the following block returns. */
#define EROFS_SHARE_ATTR(_name)						\
static u64 erofs_share_##_name(struct erofs_share_domain_counts *domain, \
			       struct erofs_share_mount *mount);	\
static struct erofs_share_attr erofs_share_attr_##_name = {		\
	.attr = { .name = __stringify(_name), .mode = 0400 },		\
	.value = erofs_share_##_name,					\
};									\
static u64 erofs_share_##_name(struct erofs_share_domain_counts *domain, \
			       struct erofs_share_mount *mount)

EROFS_SHARE_ATTR(files)
{
	return READ_ONCE(mount->files);
}

EROFS_SHARE_ATTR(resident_bytes)
{
	struct erofs_share_sum sum = {};

	erofs_share_sum_mount(domain, mount, &sum);
	return sum.resident << PAGE_SHIFT;
}

EROFS_SHARE_ATTR(foreign_bytes)
{
	struct erofs_share_sum sum = {};

	erofs_share_sum_mount(domain, mount, &sum);
	return sum.foreign << PAGE_SHIFT;
}

EROFS_SHARE_ATTR(domain)
{
	return domain->number;
}

EROFS_SHARE_ATTR(domain_inodes)
{
	return READ_ONCE(domain->inodes);
}

EROFS_SHARE_ATTR(domain_resident_bytes)
{
	struct erofs_share_sum sum = {};

	erofs_share_sum_domain(domain, &sum);
	return sum.resident << PAGE_SHIFT;
}

EROFS_SHARE_ATTR(domain_saved_bytes)
{
	struct erofs_share_sum sum = {};

	erofs_share_sum_domain(domain, &sum);
	return sum.saved << PAGE_SHIFT;
}

/* Not a counter: which mount of /proc/self/mountinfo this is. */
static struct attribute erofs_share_attr_dev = { .name = "dev", .mode = 0400 };

static struct attribute *erofs_share_attrs[] = {
	&erofs_share_attr_dev,
	&erofs_share_attr_files.attr,
	&erofs_share_attr_resident_bytes.attr,
	&erofs_share_attr_foreign_bytes.attr,
	&erofs_share_attr_domain.attr,
	&erofs_share_attr_domain_inodes.attr,
	&erofs_share_attr_domain_resident_bytes.attr,
	&erofs_share_attr_domain_saved_bytes.attr,
	NULL,
};
ATTRIBUTE_GROUPS(erofs_share);

static ssize_t erofs_share_attr_show(struct kobject *kobj,
				     struct attribute *attr, char *buf)
{
	struct erofs_share_mount *mount;
	struct erofs_share_sb *share;
	struct erofs_share_attr *counter;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;

	mount = container_of(kobj, struct erofs_share_mount, kobj);
	if (attr == &erofs_share_attr_dev)
		return sysfs_emit(buf, "%u:%u\n", MAJOR(mount->dev),
				  MINOR(mount->dev));

	share = container_of(mount, struct erofs_share_sb, mount);
	counter = container_of(attr, struct erofs_share_attr, attr);
	return sysfs_emit(buf, "%llu\n",
			  counter->value(erofs_share_domain_sb(share->domain)->s_fs_info,
					 mount));
}

static void erofs_share_mount_release(struct kobject *kobj)
{
	complete(&container_of(kobj, struct erofs_share_mount, kobj)->gone);
}

static const struct sysfs_ops erofs_share_attr_ops = {
	.show		= erofs_share_attr_show,
};

static const struct kobj_type erofs_share_mount_ktype = {
	.default_groups	= erofs_share_groups,
	.sysfs_ops	= &erofs_share_attr_ops,
	.release	= erofs_share_mount_release,
};

/* Wait until nobody uses the directory, and forget that there was one. */
static void erofs_share_put_counters(struct erofs_share_mount *mount)
{
	kobject_put(&mount->kobj);
	wait_for_completion(&mount->gone);
	memset(&mount->kobj, 0, sizeof(mount->kobj));
}

/**
 * erofs_share_add_counters - make a mount's directory in sysfs
 * @sb: superblock of the mount, a member of its domain; nobody has opened a
 *	file there
 *
 * Context: May sleep.
 * Return: 0, or a negative errno when the mount has to fail.
 */
int erofs_share_add_counters(struct super_block *sb)
{
	struct erofs_share_mount *mount = &EROFS_SB(sb)->share.mount;
	int err;

	mount->dev = sb->s_dev;
	INIT_LIST_HEAD(&mount->links);
	init_completion(&mount->gone);
	err = kobject_init_and_add(&mount->kobj, &erofs_share_mount_ktype,
				   &EROFS_SB(sb)->s_kobj, "share");
	if (err)
		erofs_share_put_counters(mount);
	return err;
}

/**
 * erofs_share_remove_counters - remove a mount's directory, where it has one
 * @sb: superblock that is being shut down; all its inodes are evicted
 *
 * Context: May sleep, as long as somebody who reads a counter takes.
 */
void erofs_share_remove_counters(struct super_block *sb)
{
	struct erofs_share_mount *mount = &EROFS_SB(sb)->share.mount;

	if (!mount->kobj.state_in_sysfs)
		return;
	kobject_del(&mount->kobj);
	erofs_share_put_counters(mount);
}
