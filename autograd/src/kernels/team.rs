//! Stand-in for the team of threads until the real one is merged.

/// Threads that work on one small job together.
pub struct Team {
    members: usize,
}

impl Team {
    /// A team of that many members.
    pub fn new(members: usize) -> Self {
        Team { members }
    }
    /// How many members.
    pub fn members(&self) -> usize {
        self.members
    }
    /// Runs `f(member)` for every member.
    pub fn run(&mut self, f: impl Fn(usize) + Sync) {
        (0..self.members).for_each(f);
    }
}
