//! Which names this process knows to be stored, so that intake asks the database only for new ones.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

/// More names than a city has; from here on it begins anew rather than to grow without end.
const MOST: usize = 500_000;

/// A column of the incidents and a value in it.
pub(crate) type Name = (&'static str, String);

/// Names that are stored for sure. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownNames(Arc<Mutex<HashMap<&'static str, HashSet<String>>>>);

impl KnownNames {
    /// Those of these names that may not be stored yet, in order.
    pub(crate) fn others(&self, names: BTreeSet<(&'static str, &str)>) -> Vec<Name> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known =
            |field: &str, value: &str| known.get(field).is_some_and(|values| values.contains(value));
        let others = names.into_iter().filter(|(field, value)| !is_known(field, value));
        others.map(|(field, value)| (field, value.to_owned())).collect()
    }

    /// To be called when the transaction that stored them has been committed.
    pub(crate) fn add(&self, names: Vec<Name>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.values().map(HashSet::len).sum::<usize>() > MOST {
            known.clear();
        }
        for (field, value) in names {
            known.entry(field).or_default().insert(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_new_until_it_is_added_and_each_field_has_its_own() {
        let known = KnownNames::default();
        let names = BTreeSet::from([("camera", "gate"), ("zone", "gate")]);
        assert_eq!(known.others(names.clone()).len(), 2, "asking adds nothing");
        assert_eq!(known.others(names.clone()).len(), 2);
        known.clone().add(vec![("camera", "gate".to_owned())]);
        assert_eq!(known.others(names), [("zone", "gate".to_owned())]);
    }
}
