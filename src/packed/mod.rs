//! Self-contained packed blobs.
