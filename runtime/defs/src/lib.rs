//! Tables, jitcode container and entity indices shared by both generators and the runtime.
