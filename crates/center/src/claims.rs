//! Who is looking at which incident: two people never judge the same one. A claim is a lease; the page renews it while the
//! incident is on its screen. Kept in memory: after a restart everybody simply claims again.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use jiff::SignedDuration;
use parapet_core::{IncidentId, Timestamp};

/// How long a claim lasts unless it is renewed.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// Someone's claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) by: String,
    pub(crate) until: Timestamp,
}

/// All claims.
#[derive(Debug, Default)]
pub(crate) struct Claims(Mutex<HashMap<IncidentId, Claim>>);

impl Claims {
    /// Claims an incident for somebody, or renews the claim.
    ///
    /// # Errors
    /// The claim of somebody else that stands in the way.
    pub(crate) fn take(&self, incident: IncidentId, by: &str, now: Timestamp) -> Result<Claim, Claim> {
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        claims.retain(|_, claim| claim.until > now);
        if let Some(other) = claims.get(&incident).filter(|claim| claim.by != by) {
            return Err(other.clone());
        }
        let claim = Claim { by: by.to_owned(), until: now.checked_add(LEASE).unwrap_or(now) };
        claims.insert(incident, claim.clone());
        Ok(claim)
    }

    /// Lets an incident go, if it is this person's.
    pub(crate) fn release(&self, incident: IncidentId, by: &str) -> bool {
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = claims.get(&incident).is_some_and(|claim| claim.by == by);
        own && claims.remove(&incident).is_some()
    }

    /// Who has an incident.
    pub(crate) fn of(&self, incident: IncidentId, now: Timestamp) -> Option<Claim> {
        let claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        claims.get(&incident).filter(|claim| claim.until > now).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_people_one_has_it_until_the_lease_ends() {
        let claims = Claims::default();
        let (dog, start) = (IncidentId::derive(&["dog"]), Timestamp::UNIX_EPOCH);
        let at = |seconds| start + SignedDuration::from_secs(seconds);
        let first = claims.take(dog, "li", at(0)).unwrap();
        assert_eq!(claims.take(dog, "wang", at(30)), Err(first.clone()));
        assert_eq!(claims.of(dog, at(59)), Some(first));
        let renewed = claims.take(dog, "li", at(40)).unwrap();
        assert_eq!(renewed.until, at(100));
        assert!(claims.take(dog, "wang", at(99)).is_err());
        assert!(claims.take(dog, "wang", at(100)).is_ok(), "li has gone");
        assert!(!claims.release(dog, "li"), "it is no longer li's");
        assert!(claims.release(dog, "wang"));
        assert_eq!(claims.of(dog, at(101)), None);
    }
}
