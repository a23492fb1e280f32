// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests only: a character device that swaps mappings.
 *
 * Opening a node of it points the node's inode, and the file, at the mapping of
 * another inode, as the drivers in drivers/dax do.  Which one is a parameter of
 * the module: the path of a file, which stays open as long as the module is
 * loaded.  Another parameter shows the flags with which that mapping allocates.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pagemap.h>
#include <linux/sysfs.h>

/* The first of those that no driver of the kernel's has. */
#define SWAP_MAPPING_MAJOR	120

static char *file;
module_param(file, charp, 0444);
MODULE_PARM_DESC(file, "path of the file whose mapping nodes get");

static struct file *swap_mapping_target;

static int swap_mapping_get_gfp(char *buffer, const struct kernel_param *kp)
{
	if (IS_ERR_OR_NULL(swap_mapping_target))
		return -ENODEV;
	return sysfs_emit(buffer, "%pGg\n",
			  &swap_mapping_target->f_mapping->gfp_mask);
}

static const struct kernel_param_ops swap_mapping_gfp_ops = {
	.get	= swap_mapping_get_gfp,
};

module_param_cb(gfp, &swap_mapping_gfp_ops, NULL, 0444);
MODULE_PARM_DESC(gfp, "flags with which the file's mapping allocates pages");

static int swap_mapping_open(struct inode *inode, struct file *filp)
{
	inode->i_mapping = swap_mapping_target->f_mapping;
	filp->f_mapping = inode->i_mapping;
	filp->f_wb_err = filemap_sample_wb_err(filp->f_mapping);
	return 0;
}

static const struct file_operations swap_mapping_fops = {
	.owner	= THIS_MODULE,
	.open	= swap_mapping_open,
	.llseek	= noop_llseek,
};

static int __init swap_mapping_init(void)
{
	int err;

	if (!file)
		return -EINVAL;
	swap_mapping_target = filp_open(file, O_RDONLY, 0);
	if (IS_ERR(swap_mapping_target))
		return PTR_ERR(swap_mapping_target);

	err = register_chrdev(SWAP_MAPPING_MAJOR, KBUILD_MODNAME,
			      &swap_mapping_fops);
	if (err)
		fput(swap_mapping_target);
	return err;
}
module_init(swap_mapping_init);

static void __exit swap_mapping_exit(void)
{
	unregister_chrdev(SWAP_MAPPING_MAJOR, KBUILD_MODNAME);
	fput(swap_mapping_target);
}
module_exit(swap_mapping_exit);

MODULE_DESCRIPTION("A character device that swaps mappings when it is opened");
MODULE_LICENSE("GPL");
