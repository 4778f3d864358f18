-- What people are not to see in a camera's pictures: outlines by view, as the node says.
ALTER TABLE cameras ADD COLUMN private JSONB NOT NULL DEFAULT '[]';
