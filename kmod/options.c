// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mount options inode_share and domain_id, from the fs context to
 * /proc/mounts, and what may and may not change by a remount.
 *
 * The stock erofs_context_ops are left as they are.  A copy of them with the
 * operations of this file in front is installed instead; each calls the stock
 * one for everything that is not about sharing.
 *
 * The domain id is a secret.  Its text is taken from the parameter, turned into
 * a digest and wiped before the parameter's parser returns, whatever becomes of
 * the mount; it is never copied, stored or printed.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/seq_file.h>
#include "compat.h"

static const struct fs_context_operations *erofs_stock_context_ops
	__ro_after_init;

/* The stock operations with ours in front, for every fs context. */
struct fs_context_operations erofs_share_context_ops __ro_after_init;

/* Digest and wipe the id in @param, which no longer owns a string after. */
static int erofs_share_parse_id(struct fs_context *fc,
				struct erofs_share_sb *share,
				struct fs_parameter *param)
{
	char *id = NULL;
	size_t len;
	int err = 0;

	switch (param->type) {
	case fs_value_is_string:
		id = no_free_ptr(param->string);
		len = strlen(id);
		break;
	/* the others are refused below, but the caller would free them unwiped */
	case fs_value_is_blob:
		memzero_explicit(param->blob, param->size);
		len = 0;
		break;
	case fs_value_is_filename:
		memzero_explicit((char *)param->name->name,
				 strlen(param->name->name));
		len = 0;
		break;
	default:
		len = 0;
		break;
	}

	if (!len)
		err = invalfc(fc, "domain_id needs a value: domain_id=ID, 1 to %d bytes",
			      EROFS_SHARE_ID_MAX);
	else if (len > EROFS_SHARE_ID_MAX)
		err = invalfc(fc, "domain_id is longer than %d bytes",
			      EROFS_SHARE_ID_MAX);
	else if (share->has_id)
		err = invalfc(fc, "domain_id was given twice");

	if (!err) {
		erofs_share_digest_id(&share->id, id);
		share->has_id = true;
	}
	kfree_sensitive(id);
	return err;
}

static int erofs_share_parse_param(struct fs_context *fc,
				   struct fs_parameter *param)
{
	struct erofs_share_sb *share = &erofs_share_context(fc)->share;
	int err;

	if (!strcmp(param->key, "domain_id"))
		return erofs_share_parse_id(fc, share, param);
	if (!strcmp(param->key, "inode_share")) {
		if (param->type != fs_value_is_flag)
			return invalfc(fc, "inode_share takes no value");
		share->wanted = true;
		return 0;
	}

	err = erofs_stock_context_ops->parse_param(fc, param);
	/* the VFS frees what nobody knows unwiped; it may be a misspelt domain_id */
	if (err == -ENOPARAM && strcmp(param->key, "source") &&
	    param->type == fs_value_is_string && param->string)
		memzero_explicit(param->string, strlen(param->string));
	return err;
}

/*
 * How much of mount options may be wiped: mount(2) copies a whole page from its
 * caller, with whatever stood behind the string there.  In-kernel callers have a
 * string of any kind, of which only the text is known to be theirs.
 */
static size_t erofs_share_options_size(const void *data)
{
	size_t len = strlen(data);

	if (!PAGE_ALIGNED(data) || !virt_addr_valid(data))
		return len;
	if (folio_test_slab(virt_to_folio(data)) && ksize(data) < PAGE_SIZE)
		return len;
	return max_t(size_t, len, PAGE_SIZE);
}

/*
 * The options of mount(2) are in a page that the caller frees as it is.  Parsing
 * has cut them up and LSMs may have moved parts of them, so wipe all of it:
 * nobody reads it after.
 */
static int erofs_share_parse_monolithic(struct fs_context *fc, void *data)
{
	size_t size = data ? erofs_share_options_size(data) : 0;
	int err = generic_parse_monolithic(fc, data);

	if (size)
		memzero_explicit(data, size);
	return err;
}

/* Can a new mount have these options together? */
static int erofs_share_check_options(struct fs_context *fc)
{
	const struct erofs_share_sb *share = &erofs_share_context(fc)->share;

	if (share->has_id && !share->wanted) {
		if (erofs_share_wants_fscache(fc))
			return invalfc(fc,
				       "domain_id with fsid is not supported by erofs with inode_share");
		/* what the stock module says and does */
		errorfc(fc, "domain_id option not supported");
		return 0;
	}
	if (!share->wanted)
		return 0;
	if (!IS_ENABLED(CONFIG_EROFS_FS_XATTR))
		return invalfc(fc, "inode_share needs a kernel with CONFIG_EROFS_FS_XATTR");
	if (!share->has_id)
		return invalfc(fc,
			       "inode_share needs domain_id=ID, the id of the domain to share with");
	if (erofs_share_wants_fscache(fc))
		return invalfc(fc, "inode_share and fsid exclude each other");
	if (test_opt(&erofs_share_context(fc)->opt, DAX_ALWAYS))
		return invalfc(fc,
			       "inode_share and dax exclude each other: DAX has no page cache to share");
	return 0;
}

/*
 * The image was mounted before and the VFS gave us its superblock again.  The
 * options of the first mount stay; do not let the caller believe otherwise.
 */
static int erofs_share_check_existing(struct fs_context *fc,
				      const struct erofs_share_sb *old)
{
	const struct erofs_share_sb *new = &erofs_share_context(fc)->share;

	if (!new->wanted)
		return 0;
	if (!old->wanted || !erofs_share_digest_equal(&old->id, &new->id)) {
		errorfc(fc, "this image is mounted already, %s; unmount it first",
			old->wanted ? "in another domain" :
				      "without inode_share");
		return -EBUSY;
	}
	return 0;
}

/*
 * A source that came as a descriptor is its owner's, who may have mapped it.  To
 * read it through another mapping, the mount needs a file of its own.
 */
static int erofs_share_own_source(struct fs_context *fc)
{
	struct file **source = erofs_share_source(fc), *own;

	if (!source || !*source || erofs_share_may_back(*source))
		return 0;
	own = dentry_open(&(*source)->f_path, O_RDONLY | O_LARGEFILE,
			  current_cred());
	if (IS_ERR(own))
		return PTR_ERR(own);
	erofs_share_backing_file(own);
	fput(*source);
	*source = own;
	return 0;
}

static int erofs_share_get_tree(struct fs_context *fc)
{
	struct super_block *sb;
	int err;

	err = erofs_share_check_options(fc);
	if (err)
		return err;
	err = erofs_share_own_source(fc);
	if (err)
		return err;
	err = erofs_stock_context_ops->get_tree(fc);
	if (err)
		return err;

	/* s_umount is held for writing: nobody has opened a file here yet */
	sb = fc->root->d_sb;
	if (erofs_share_unused_context(fc)) {
		err = erofs_share_check_existing(fc, &EROFS_SB(sb)->share);
	} else {
		err = erofs_share_prefixes_init(sb);
		if (!err && EROFS_SB(sb)->share.wanted)
			err = erofs_share_domain_join(sb);
	}
	if (err) {
		dput(fc->root);
		fc->root = NULL;
		deactivate_locked_super(sb);
	}
	return err;
}

static int erofs_share_reconfigure(struct fs_context *fc)
{
	const struct erofs_share_sb *old = &EROFS_SB(fc->root->d_sb)->share;
	const struct erofs_share_sb *new = &erofs_share_context(fc)->share;

	if (new->wanted && !old->wanted)
		return invalfc(fc,
			       "inode_share cannot be turned on by remount: unmount, then mount with it");
	if (new->has_id && old->wanted &&
	    !erofs_share_digest_equal(&old->id, &new->id))
		return invalfc(fc,
			       "a remount cannot change the domain: unmount, then mount with the other domain_id");
	if (new->has_id && !old->wanted)
		errorfc(fc, "domain_id option not supported");
	if (old->domain && test_opt(&erofs_share_context(fc)->opt, DAX_ALWAYS))
		return invalfc(fc,
			       "inode_share and dax exclude each other: DAX has no page cache to share");
	return erofs_stock_context_ops->reconfigure(fc);
}

/**
 * erofs_share_options_init - put our option handling in front of the stock one
 * @stock: erofs_context_ops of the patched super.c
 *
 * Called once, before the filesystem is registered.
 */
void __init erofs_share_options_init(const struct fs_context_operations *stock)
{
	erofs_stock_context_ops = stock;
	erofs_share_context_ops = *stock;
	erofs_share_context_ops.parse_param = erofs_share_parse_param;
	erofs_share_context_ops.parse_monolithic = erofs_share_parse_monolithic;
	erofs_share_context_ops.get_tree = erofs_share_get_tree;
	erofs_share_context_ops.reconfigure = erofs_share_reconfigure;
}

/**
 * erofs_share_show_options - our part of /proc/mounts
 * @seq: where the options of a mount are written
 * @share: that mount's state
 *
 * Says whether the mount shares.  The domain is nobody's business.
 */
void erofs_share_show_options(struct seq_file *seq,
			      const struct erofs_share_sb *share)
{
	if (share->domain)
		seq_puts(seq, ",inode_share");
}
