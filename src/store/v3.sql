-- What tells a copy that ends before byte_offset from another file that begins alike: points on the way, offset and hash of
-- each (src/tail/marks.rs), and when the file had last been written, in nanoseconds since 1970. Of positions saved without
-- them nothing is taken for such a copy.
ALTER TABLE file_position ADD COLUMN marks BLOB NOT NULL DEFAULT x'';
ALTER TABLE file_position ADD COLUMN mtime INTEGER NOT NULL DEFAULT 0;
