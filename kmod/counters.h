/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is counted of mounts, domains and shared inodes, for the files below
 * /sys/fs/erofs/DEV/share/.  counters.c explains how; share.h includes this file
 * because struct erofs_share_sb carries a part of it.
 */
#ifndef __EROFS_SHARE_COUNTERS_H
#define __EROFS_SHARE_COUNTERS_H

#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/**
 * struct erofs_share_domain_counts - what is counted of a domain
 * @number: names the domain in sysfs; numbers are drawn in order of creation
 * @lock: protects the lists of the domain's mounts and shared inodes, and the
 *	numbers of files in them
 * @tallies: one for each shared inode
 * @inodes: how many there are
 */
struct erofs_share_domain_counts {
	u64 number;
	spinlock_t lock;	/* taken before that of a tally */
	struct list_head tallies;
	unsigned long inodes;
};

/**
 * struct erofs_share_link - a mount and a shared inode that it has files of
 * @of_mount: in the links of the mount
 * @of_shared: in the links of the shared inode's tally
 * @mount: the mount; NULL in one that nobody uses
 * @tally: the tally; NULL in a place holder of somebody who walks the list
 * @files: real inodes of the mount that are attached to the shared inode
 * @epoch: of the tally when @pages was counted
 * @pages: that the mount has read into the shared inode since then
 */
struct erofs_share_link {
	struct list_head of_mount;
	struct rb_node of_shared;
	struct erofs_share_mount *mount;
	struct erofs_share_tally *tally;
	unsigned int files;
	unsigned int epoch;
	u64 pages;
};

/**
 * struct erofs_share_tally - what is counted of a shared inode
 * @mapping: its pages; NULL in a place holder of somebody who walks the list
 * @node: in the tallies of its domain
 * @links: one for each mount that has files attached to it, by address of mount
 * @first: one of @links; with it, a file that no other mount has needs no memory
 * @files: real inodes attached to it, of all mounts
 * @lock: protects what follows, and the same of @links
 * @epoch: grows when pages are read and none of those read before is left
 * @pages: that mounts have read into @mapping in this epoch
 */
struct erofs_share_tally {
	struct address_space *mapping;
	struct list_head node;
	struct rb_root links;
	struct erofs_share_link first;
	unsigned int files;
	spinlock_t lock;	/* the innermost one */
	unsigned int epoch;
	u64 pages;
};

/**
 * struct erofs_share_mount - what is counted of a mount
 * @kobj: its directory in sysfs; there is one if @kobj.state_in_sysfs is set
 * @gone: nobody uses @kobj any more
 * @dev: device number of the mount, as in /proc/self/mountinfo
 * @links: one for each shared inode that files of it are attached to
 * @files: how many files are attached
 */
struct erofs_share_mount {
	struct kobject kobj;
	struct completion gone;
	dev_t dev;
	struct list_head links;
	unsigned long files;
};

/* Called by the patched upstream files. */
void erofs_share_remove_counters(struct super_block *sb);

/* Between our own files. */
void erofs_share_count_domain(struct erofs_share_domain_counts *domain,
			      struct super_block *sb);
int erofs_share_add_counters(struct super_block *sb);
void erofs_share_count_shared(struct inode *shared,
			      struct erofs_share_tally *tally);
void erofs_share_uncount_shared(struct inode *shared,
				struct erofs_share_tally *tally);
struct erofs_share_link *
erofs_share_count_file(struct inode *inode, struct erofs_share_tally *tally);
void erofs_share_uncount_file(struct erofs_share_link *link);
void erofs_share_count_read(const struct inode *inode, unsigned long pages);

#endif
