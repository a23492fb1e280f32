// SPDX-License-Identifier: GPL-2.0-only
// Counts decompression queues that nobody waits for, so that wait-for-reads can
// wait for them.  A queue that turns out to have no I/O is freed unused.
//
// Lands: zdata.c erofs_share_queue_begin +1
// Lands: zdata.c erofs_share_queue_end +2
@@
identifier sb;
expression q;
@@
 jobqueue_init(struct super_block *sb, ...)
 {
 	<...
 	q->sb = sb;
+	erofs_share_queue_begin(sb, q->sync);
 	...>
 }

@@
expression bgq;
@@
 z_erofs_decompressqueue_work(...)
 {
 	...
+	erofs_share_queue_end(bgq->sb);
 	kvfree(bgq);
 }

@@
expression q;
identifier f;
type T;
@@
 z_erofs_submit_queue(T *f, ...)
 {
 	<...
+	erofs_share_queue_end(f->inode->i_sb);
 	kvfree(q);
 	...>
 }
