-- Points on the way to byte_offset: offset and hash of each (src/tail/marks.rs). Positions that were saved without them are
-- told from a copy that ends before them by nothing.
ALTER TABLE file_position ADD COLUMN marks BLOB NOT NULL DEFAULT x'';
