//! Turns a camera, a file or a drone feed into frames, and keeps the encoded pre-roll for clips.
