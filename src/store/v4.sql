-- When the file was made, nanoseconds since 1970; 0 where its file system does not tell, and of positions saved before.
ALTER TABLE file_position ADD COLUMN born INTEGER NOT NULL DEFAULT 0;
