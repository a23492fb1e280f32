// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading into shared mappings, and keeping an image until its reads have ended.
 *
 * A read is served by the image of the file that it is issued for, so that a
 * broken or slow device is the business of its own readers only.  Compressed
 * files go through the stock code, which hooks make look the image up by file.
 * Uncompressed ones are read here, from block devices and from files alike: the
 * stock paths end in completions (iomap's, for one) that tell nobody when the
 * last part of a read is over, and leave state in the folios which depends on
 * the image's block size.  Folios read here can be finished from any image.
 *
 * The stock module may unmount safely because evicting an inode waits for its
 * locked folios.  Nothing waits for folios of a shared inode, which outlives the
 * mount that reads into it.  So reads that may outlive their caller are counted
 * by superblock, and unmounting waits for them.
 *
 * A folio that is read here ends with zeroes behind the end of the file, whatever
 * the image has there: a fingerprint says nothing about these bytes, and whoever
 * maps the file sees them.  The stock code for compressed files clears them.
 *
 * Decompression queues are counted on mounts that do not share as well: when a
 * queue ends, its folios are unlocked already and nothing else keeps the mount,
 * so there is no asking any more whether it was one that is counted.
 */
#include <linux/bio.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/wait_bit.h>
#include "compat.h"
#include "compress.h"

static void erofs_share_read_begin(struct erofs_share_sb *share)
{
	atomic_inc(&share->reads);
}

static void erofs_share_read_end(struct erofs_share_sb *share)
{
	/* @share may be freed as soon as it is 0: from there on only an address */
	if (atomic_dec_and_test(&share->reads))
		wake_up_var(&share->reads);
}

/**
 * erofs_share_wait_reads - wait until no read of an image is in flight
 * @sb: superblock that is being shut down
 *
 * Called before anything that a read uses is torn down: devices, the cache of
 * compressed data, per-superblock state.  All files are closed and all inodes
 * evicted, so no new read can start.
 *
 * Context: May sleep, as long as the image's devices take to answer.
 */
void erofs_share_wait_reads(struct super_block *sb)
{
	struct erofs_share_sb *share = &EROFS_SB(sb)->share;

	wait_var_event(&share->reads, !atomic_read(&share->reads));
}

/**
 * erofs_share_queue_begin - a decompression queue was set up
 * @sb: the image it reads
 * @sync: its submitter waits for it, with a file of @sb held open
 */
void erofs_share_queue_begin(struct super_block *sb, bool sync)
{
	if (!sync)
		erofs_share_read_begin(&EROFS_SB(sb)->share);
}

/**
 * erofs_share_queue_end - a decompression queue that nobody waits for is done
 * @sb: the image it read; may be gone on return
 */
void erofs_share_queue_end(struct super_block *sb)
{
	erofs_share_read_end(&EROFS_SB(sb)->share);
}

/**
 * erofs_share_cluster_differs - is a physical cluster said to be something else?
 * @sb: the image
 * @map: extent that is about to be read
 * @algorithm: how the cluster that was found at its address is compressed
 * @size: of that cluster, in bytes
 * @pageofs_out: where in a page its contents begin
 *
 * Clusters are found by their address alone, by all extents of an image, and stay
 * as whoever was first described them.  An image in which two extents mean
 * different things by one cluster would have contents that depend on the order of
 * reads, and on reclaim: nothing that a fingerprint could name.  Extents of images
 * that share data honestly differ in length only.
 *
 * Context: Does not sleep.
 * Return: true if the extent must not be read, on a mount with inode_share.
 */
bool erofs_share_cluster_differs(struct super_block *sb,
				 const struct erofs_map_blocks *map,
				 unsigned int algorithm, unsigned int size,
				 unsigned int pageofs_out)
{
	if (!EROFS_SB(sb)->share.wanted)
		return false;
	return algorithm != map->m_algorithmformat || size != map->m_plen ||
		(algorithm == Z_EROFS_COMPRESSION_INTERLACED &&
		 pageofs_out != offset_in_page(map->m_la));
}

/*
 * While a folio is read here, folio->private counts the parts that are still to
 * come: the scan itself and each part handed to a bio.
 */
#define EROFS_SHARE_PART_ERROR	BIT(30)
#define EROFS_SHARE_PART_TAIL	BIT(29)	/* one goes on behind the end of the file */

static atomic_t *erofs_share_parts(struct folio *folio)
{
	BUILD_BUG_ON(sizeof(atomic_t) > sizeof(folio->private));
	return (atomic_t *)&folio->private;
}

static void erofs_share_clear_tail(struct folio *folio)
{
	const loff_t left = i_size_read(folio->mapping->host) - folio_pos(folio);
	const size_t size = folio_size(folio);

	if (left < (loff_t)size)
		folio_zero_segment(folio, max_t(loff_t, left, 0), size);
}

static void erofs_share_part_end(struct folio *folio, bool error)
{
	atomic_t *parts = erofs_share_parts(folio);
	int left;

	if (error)
		atomic_or(EROFS_SHARE_PART_ERROR, parts);
	left = atomic_dec_return(parts);
	error = left & EROFS_SHARE_PART_ERROR;
	if (left & ~(EROFS_SHARE_PART_ERROR | EROFS_SHARE_PART_TAIL))
		return;
	folio->private = NULL;
	if (left & EROFS_SHARE_PART_TAIL)
		erofs_share_clear_tail(folio);
	folio_end_read(folio, !error);
}

/**
 * struct erofs_share_io - an uncompressed read that is being put together
 * @inode: real inode whose image serves it
 * @map: the extent that was looked up last
 * @dev: where the part that follows @bio's last one would lie
 * @bio: not submitted yet, or NULL
 * @opf: operation flags for its bios
 */
struct erofs_share_io {
	struct inode *inode;
	struct erofs_map_blocks map;
	struct erofs_map_dev dev;
	struct bio *bio;
	blk_opf_t opf;
};

static void erofs_share_end_io(struct bio *bio)
{
	struct erofs_share_sb *share = bio->bi_private;
	bool error = bio->bi_status != BLK_STS_OK;
	struct folio_iter fi;

	bio_for_each_folio_all(fi, bio)
		erofs_share_part_end(fi.folio, error);
	/* bios without a device are part of a request that fileio.c frees */
	if (bio->bi_bdev)
		bio_put(bio);
	erofs_share_read_end(share);
}

static void erofs_share_submit(struct erofs_share_io *io)
{
	if (!io->bio)
		return;
	if (erofs_is_fileio_mode(EROFS_I_SB(io->inode)))
		erofs_fileio_submit_bio(io->bio);
	else
		submit_bio(io->bio);
	io->bio = NULL;
}

static void erofs_share_new_bio(struct erofs_share_io *io)
{
	struct erofs_sb_info *sbi = EROFS_I_SB(io->inode);

	if (erofs_is_fileio_mode(sbi)) {
		io->bio = erofs_fileio_bio_alloc(&io->dev);
		io->bio->bi_opf |= io->opf;
	} else {
		io->bio = bio_alloc(io->dev.m_bdev, BIO_MAX_VECS,
				    REQ_OP_READ | io->opf, GFP_NOIO);
	}
	io->bio->bi_iter.bi_sector =
		(erofs_share_dev_start(&io->dev) + io->dev.m_pa) >> SECTOR_SHIFT;
	io->bio->bi_end_io = erofs_share_end_io;
	io->bio->bi_private = &sbi->share;
	erofs_share_read_begin(&sbi->share);
}

/*
 * Add @len bytes of @folio at @ofs to the bio, starting a new bio where the
 * data does not lie right behind what the bio has.  @pa is where they lie in the
 * image.  @in_bio says whether the bio has a part of this folio already.
 */
static int erofs_share_add_part(struct erofs_share_io *io, struct folio *folio,
				size_t ofs, size_t len, erofs_off_t pa,
				bool *in_bio)
{
	struct erofs_map_dev dev = {
		.m_deviceid = io->map.m_deviceid,
		.m_pa = pa,
	};
	unsigned short vcnt;
	int err;

	err = erofs_map_dev(io->inode->i_sb, &dev);
	if (err)
		return err;

	if (io->bio && (dev.m_pa != io->dev.m_pa ||
			!erofs_share_same_dev(&dev, &io->dev)))
		erofs_share_submit(io);
	do {
		if (!io->bio) {
			io->dev = dev;
			erofs_share_new_bio(io);
			*in_bio = false;
		}
		vcnt = io->bio->bi_vcnt;
		if (bio_add_folio(io->bio, folio, len, ofs))
			break;
		erofs_share_submit(io);
	} while (1);

	/* the image has whole blocks, whatever the rest of the last one is */
	if (folio_pos(folio) + ofs + len > i_size_read(io->inode))
		atomic_or(EROFS_SHARE_PART_TAIL, erofs_share_parts(folio));
	/* erofs_share_end_io() meets the folio once for each vector it is in */
	if (!*in_bio || io->bio->bi_vcnt != vcnt)
		atomic_inc(erofs_share_parts(folio));
	*in_bio = true;
	io->dev.m_pa = dev.m_pa + len;
	return 0;
}

static int erofs_share_copy_inline(struct erofs_share_io *io,
				   struct folio *folio, size_t ofs, size_t len,
				   erofs_off_t pa)
{
	struct erofs_buf buf = __EROFS_BUF_INITIALIZER;
	void *src;

	src = erofs_read_metabuf(&buf, io->inode->i_sb, pa,
				 erofs_inode_in_metabox(io->inode));
	if (IS_ERR(src))
		return PTR_ERR(src);
	memcpy_to_folio(folio, ofs, src, len);
	erofs_put_metabuf(&buf);
	return 0;
}

/* Look up the extent at @pos, unless it is the one that @io has. */
static int erofs_share_map(struct erofs_share_io *io, loff_t pos, size_t len)
{
	struct erofs_map_blocks *map = &io->map;
	int err;

	if (in_range(pos, map->m_la, map->m_llen))
		return 0;
	map->m_la = pos;
	map->m_llen = len;
	err = erofs_map_blocks(io->inode, map);
	if (!err && !in_range(pos, map->m_la, map->m_llen))
		err = -EFSCORRUPTED;
	if (err)
		map->m_llen = 0;
	return err;
}

/* Read a locked folio.  It is unlocked when its last part has ended. */
static void erofs_share_read_plain(struct erofs_share_io *io,
				   struct folio *folio)
{
	struct erofs_map_blocks *map = &io->map;
	const size_t end = folio_size(folio);
	bool in_bio = false;
	size_t cur, len;
	int err = 0;

	atomic_set(erofs_share_parts(folio), 1);
	for (cur = 0; cur < end && !err; cur += len) {
		loff_t pos = folio_pos(folio) + cur;
		erofs_off_t ofs;

		len = end - cur;
		err = erofs_share_map(io, pos, len);
		if (err)
			break;
		ofs = pos - map->m_la;
		len = min_t(u64, len, map->m_llen - ofs);

		if (!(map->m_flags & EROFS_MAP_MAPPED))
			folio_zero_range(folio, cur, len);
		else if (map->m_flags & EROFS_MAP_META)
			err = erofs_share_copy_inline(io, folio, cur, len,
						      map->m_pa + ofs);
		else
			err = erofs_share_add_part(io, folio, cur, len,
						   map->m_pa + ofs, &in_bio);
	}
	erofs_share_part_end(folio, err);
}

static bool erofs_share_compressed(const struct inode *inode)
{
	return erofs_inode_is_data_compressed(EROFS_I(inode)->datalayout);
}

/*
 * The real inode that a read into @mapping is for; NULL if it is for nobody's
 * file, or for one that somebody stacked on ours: no image could serve it.
 */
static struct inode *erofs_share_reader(struct address_space *mapping,
					struct file *file)
{
	if (!file || file_inode(file)->i_mapping != mapping)
		return NULL;
	return file_inode(file);
}

static int erofs_share_read_folio(struct file *file, struct folio *folio)
{
	struct erofs_share_io io = {
		.inode = erofs_share_reader(folio->mapping, file),
	};
	unsigned int nofs;
	int err = 0;

	if (!io.inode) {
		folio_unlock(folio);
		return -EIO;
	}

	erofs_share_count_read(io.inode, folio_nr_pages(folio));

	/*
	 * The folio is locked, and reclaim could want to evict inodes of any
	 * filesystem.  Readahead has this from its caller.
	 */
	nofs = memalloc_nofs_save();
	if (erofs_share_compressed(io.inode)) {
		err = io.inode->i_data.a_ops->read_folio(file, folio);
	} else {
		erofs_share_read_plain(&io, folio);
		erofs_share_submit(&io);
		erofs_share_tell_error(io.inode, folio);
	}
	memalloc_nofs_restore(nofs);
	return err;
}

static void erofs_share_readahead(struct readahead_control *rac)
{
	struct erofs_share_io io = {
		.inode = erofs_share_reader(rac->mapping, rac->file),
		.opf = REQ_RAHEAD,
	};
	struct folio *folio;

	/* the caller removes what is not read */
	if (!io.inode)
		return;

	erofs_share_count_read(io.inode, readahead_count(rac));
	if (erofs_share_compressed(io.inode)) {
		io.inode->i_data.a_ops->readahead(rac);
		return;
	}
	while ((folio = readahead_folio(rac)))
		erofs_share_read_plain(&io, folio);
	erofs_share_submit(&io);
}

/*
 * No ->direct_IO and no ->bmap: both ask for one image's view, which a shared
 * mapping does not have.  erofs_share_open() answers for the first.
 */
const struct address_space_operations erofs_share_aops = {
	.read_folio	= erofs_share_read_folio,
	.readahead	= erofs_share_readahead,
};
