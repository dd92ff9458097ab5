//! A sorted list whose members keep their place in memory, so that an index may hold their
//! numbers while others come and go. A member comes or goes by moving numbers of four bytes.

use std::cmp::Ordering;

/// A sorted list of members with lasting numbers.
#[derive(Clone, Debug)]
pub(super) struct Ordered<T> {
    slots: Vec<Option<T>>,
    free: Vec<u32>,
    order: Vec<u32>,
}

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Ordered { slots: Vec::new(), free: Vec::new(), order: Vec::new() }
    }
}

impl<T> Ordered<T> {
    /// Of members that are sorted.
    pub(super) fn of(sorted: impl IntoIterator<Item = T>) -> Self {
        let slots: Vec<Option<T>> = sorted.into_iter().map(Some).collect();
        let order = (0..).take(slots.len()).collect();
        Ordered { slots, free: Vec::new(), order }
    }

    /// The numbers of the members, in order.
    pub(super) fn numbers(&self) -> &[u32] {
        &self.order
    }

    /// The member of this number.
    pub(super) fn number(&self, number: u32) -> Option<&T> {
        self.slots.get(number as usize)?.as_ref()
    }

    /// The member of this number, to change; not what it is sorted by.
    pub(super) fn number_mut(&mut self, number: u32) -> Option<&mut T> {
        self.slots.get_mut(number as usize)?.as_mut()
    }

    /// The member at this place of the order.
    pub(super) fn at(&self, place: usize) -> Option<&T> {
        self.number(*self.order.get(place)?)
    }

    /// How many members come before those that `compare` says are not less.
    pub(super) fn before(&self, is_before: impl Fn(&T) -> bool) -> usize {
        self.order.partition_point(|n| self.number(*n).is_some_and(&is_before))
    }

    /// The number of the member that compares as equal, or the place where it would be.
    pub(super) fn find(&self, compare: impl Fn(&T) -> Ordering) -> Result<u32, usize> {
        let compared = |n: &u32| self.number(*n).map_or(Ordering::Less, &compare);
        match self.order.binary_search_by(compared) {
            Ok(place) => self.order.get(place).copied().ok_or(place),
            Err(place) => Err(place),
        }
    }

    /// Puts a new member at its place in the order and gives it a number.
    pub(super) fn insert(&mut self, place: usize, member: T) -> u32 {
        let number = match self.free.pop() {
            Some(number) => {
                if let Some(slot) = self.slots.get_mut(number as usize) {
                    *slot = Some(member);
                }
                number
            }
            None => {
                self.slots.push(Some(member));
                u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
            }
        };
        self.order.insert(place.min(self.order.len()), number);
        number
    }

    /// Takes out the member that compares as equal.
    pub(super) fn remove(&mut self, compare: impl Fn(&T) -> Ordering) -> Option<(u32, T)> {
        let compared = |n: &u32| self.number(*n).map_or(Ordering::Less, &compare);
        let place = self.order.binary_search_by(compared).ok()?;
        let number = self.order.remove(place);
        self.free.push(number);
        Some((number, self.slots.get_mut(number as usize)?.take()?))
    }

    /// All members, in order.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + Clone {
        self.order.iter().filter_map(|n| self.number(*n))
    }
}
