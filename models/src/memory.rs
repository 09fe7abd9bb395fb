//! What some work will hold in memory, computed before anything is made, and what memory there is. It allocates nothing itself.
//!
//! What a training needs is counted by its family ([`Task::needs`](crate::training::task::Task::needs)) and by
//! [`Settings::needs`](crate::training::settings::Settings::needs). Every figure is what is held at most, so that what is begun does not end
//! for want of memory: `tests/cli/memory.rs` holds it against what trainings were seen to hold.

use crate::error::{Error, Kind, Result};
use crate::pages::numbers::bytes;

/// Bytes by what they are for. Sums and products stop at the largest number there is: a slip of the keyboard overflows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    parts: Vec<Part>,
}

/// One thing that memory is needed for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    what: &'static str,
    bytes: u128,
    /// The keys that make it smaller.
    keys: &'static str,
}

/// The elements of tensors of these shapes together.
pub fn elements<'a>(shapes: impl IntoIterator<Item = &'a [usize]>) -> u128 {
    let count = |shape: &[usize]| shape.iter().fold(1_u128, |product, &n| product.saturating_mul(n as u128));
    shapes.into_iter().fold(0, |sum, shape| sum.saturating_add(count(shape)))
}

impl Needs {
    /// And so many elements of so many bytes each.
    pub fn and(mut self, what: &'static str, count: u128, size: usize, keys: &'static str) -> Self {
        self.parts.push(Part { what, bytes: count.saturating_mul(size as u128), keys });
        self
    }

    /// All of it.
    pub fn bytes(&self) -> u128 {
        self.parts.iter().fold(0, |sum, part| sum.saturating_add(part.bytes))
    }

    /// Refuses what does not fit into the memory that this process can still have.
    ///
    /// # Errors
    /// [`Kind::Usage`] with both numbers, the parts, and the keys of the largest.
    pub fn check(&self) -> Result<()> {
        // Where the system does not say, no more than an address space can hold.
        self.check_against(available().unwrap_or(isize::MAX as u64))
    }

    /// [`Needs::check`] against so many bytes.
    ///
    /// # Errors
    /// As [`Needs::check`].
    pub fn check_against(&self, there: u64) -> Result<()> {
        let total = self.bytes();
        if total <= u128::from(there) {
            return Ok(());
        }
        let about = if u64::try_from(total).is_ok() { "about " } else { "" };
        let what = format!("this needs {about}{} of memory, and {} are free", shown(total), bytes(there));
        let largest = self.parts.iter().max_by_key(|part| part.bytes).map_or("", |part| part.keys);
        let parts = self.parts.iter().filter(|part| part.bytes > 0);
        let parts: Vec<String> = parts.map(|part| format!("{} {}", part.what, shown(part.bytes))).collect();
        Err(Error::new(Kind::Usage, what).cause(parts.join(", ")).help(format!("make {largest} smaller")))
    }
}

fn shown(count: u128) -> String {
    u64::try_from(count).map_or_else(|_| "more than 16 EiB".to_owned(), bytes)
}

/// The bytes that this process can still allocate: what the machine has free, or less where its control group or a limit of the
/// process says so. None where the system does not tell.
pub fn available() -> Option<u64> {
    let ram = sysinfo::MemoryRefreshKind::nothing().with_ram();
    let system = sysinfo::System::new_with_specifics(sysinfo::RefreshKind::nothing().with_memory(ram));
    let machine = Some(system.available_memory()).filter(|&free| free > 0);
    // What the group's files take in the cache counts as free: it is given back when asked for.
    let group = system.cgroup_limits().map(|group| group.total_memory.saturating_sub(group.rss));
    [machine, group, of_process()].into_iter().flatten().min()
}

/// What the limits of this process (`ulimit -v`, `ulimit -d`) leave; none where there are none or the system is not Linux.
fn of_process() -> Option<u64> {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/self/{name}")).ok();
    let (limits, status) = (read("limits")?, read("status")?);
    let field = |text: &str, key: &str| -> Option<u64> {
        text.lines().find_map(|line| line.strip_prefix(key)?.split_whitespace().next()?.parse().ok())
    };
    let left = |(limit, used)| Some(field(&limits, limit)?.saturating_sub(field(&status, used)?.saturating_mul(1024)));
    [("Max address space", "VmSize:"), ("Max data size", "VmData:")].into_iter().filter_map(left).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_with_both_numbers_and_the_keys_of_the_largest_part() {
        let needs = Needs::default().and("weights", 1 << 20, 4, "`a`").and("activations", 3 << 20, 4, "`b`");
        assert!(needs.check_against(16 << 20).is_ok());
        let error = needs.check_against((16 << 20) - 1).unwrap_err();
        assert_eq!(error.kind, Kind::Usage);
        assert!(error.what.contains("16.0 MiB of memory, and 16.0 MiB are free"), "{error}");
        assert!(error.cause.contains("weights 4.0 MiB, activations 12.0 MiB") && error.help.contains("`b`"), "{error}");
    }

    #[test]
    fn numbers_beyond_all_measure_are_told_and_overflow_nothing() {
        let huge = elements([&[usize::MAX, usize::MAX, usize::MAX][..], &[2, 3]]);
        assert_eq!(huge, u128::MAX);
        let error = Needs::default().and("weights", huge, 4, "`a`").check().unwrap_err();
        assert!(error.what.contains("more than 16 EiB"), "{error}");
        assert_eq!(elements([&[2, 3][..], &[], &[4]]), 6 + 1 + 4);
    }

    #[test]
    fn some_memory_is_free_where_a_test_can_run() {
        assert!(available().is_none_or(|free| free > 1 << 20));
    }
}
