//! Who may do what, and where: roles, the permissions that they give, and grants of a role at all sites, at one, or for
//! one camera. Who somebody is, is not decided here.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{CameraId, Language, SiteId};

macro_rules! named {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }
        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name for programs.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    )+};
}

named! {
    /// What somebody is at a place.
    Role {
        /// Looks on; persons and number plates are blurred.
        Viewer = "viewer",
        /// Judges incidents in the monitoring room.
        Operator = "operator",
        /// Works on cases in the command center.
        Dispatcher = "dispatcher",
        /// Reads what everybody did, and changes nothing.
        Auditor = "auditor",
        /// Sets up everything.
        Administrator = "administrator",
    }
    /// What can be allowed.
    Permission {
        /// Cameras, incidents and cases, with persons and number plates blurred.
        See = "see",
        /// Pictures as they were taken, and clips.
        SeeClear = "see_clear",
        /// Private areas of pictures, too, and clips in which there are any; it takes `see_clear` as well.
        Unseal = "unseal",
        /// Confirming and dismissing incidents.
        Judge = "judge",
        /// Opening and joining cases.
        File = "file",
        /// Accepting, sending, checking, suspending and closing cases.
        Dispatch = "dispatch",
        /// Answering hand-over orders.
        Answer = "answer",
        /// Reading who did what, and what proves it.
        Audit = "audit",
        /// Catalogue, calendar, departments, cameras and zones.
        Configure = "configure",
        /// People and programs, and what they may do.
        ManageUsers = "manage_users",
        /// Deleting evidence; it always takes two persons.
        Delete = "delete",
    }
}

impl Role {
    /// Whether the role gives the permission.
    pub fn may(self, permission: Permission) -> bool {
        use Permission as P;
        match self {
            Self::Viewer => matches!(permission, P::See),
            Self::Operator => {
                matches!(permission, P::See | P::SeeClear | P::Judge | P::File | P::Answer)
            }
            Self::Dispatcher => {
                matches!(permission, P::See | P::SeeClear | P::Judge | P::File | P::Dispatch | P::Answer)
            }
            Self::Auditor => matches!(permission, P::See | P::SeeClear | P::Unseal | P::Audit | P::Delete),
            Self::Administrator => true,
        }
    }

    /// Its name for people.
    pub fn name(self, language: Language) -> &'static str {
        let (zh, en) = match self {
            Self::Viewer => ("查看员", "Viewer"),
            Self::Operator => ("监控员", "Operator"),
            Self::Dispatcher => ("派遣员", "Dispatcher"),
            Self::Auditor => ("审计员", "Auditor"),
            Self::Administrator => ("管理员", "Administrator"),
        };
        match language {
            Language::ZhCn => zh,
            Language::En => en,
        }
    }
}

/// A role at a place. Without site and camera it holds everywhere; with a camera it holds for nothing else.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// Only at this site.
    #[serde(default)]
    pub site: Option<SiteId>,
    /// Only for this camera.
    #[serde(default)]
    pub camera: Option<CameraId>,
}

impl Grant {
    /// A role everywhere.
    pub fn everywhere(role: Role) -> Self {
        Self { role, site: None, camera: None }
    }

    /// A role at one site.
    pub fn at(role: Role, site: SiteId) -> Self {
        Self { role, site: Some(site), camera: None }
    }
}

/// Everything that somebody was granted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    /// The grants, each by itself: one never takes anything from another.
    pub grants: Vec<Grant>,
}

impl Access {
    /// Access by these grants.
    pub fn new(grants: Vec<Grant>) -> Self {
        Self { grants }
    }

    /// Whether something may be done to a thing of this site and camera. What belongs to no camera (a roof, a site's case)
    /// needs a grant for the whole site; what belongs to no site (a setting, a person) needs one that holds everywhere.
    pub fn may(&self, permission: Permission, site: Option<&SiteId>, camera: Option<&CameraId>) -> bool {
        self.scope(permission).contains(site.map(SiteId::as_str), camera.map(CameraId::as_str))
    }

    /// Whether something may be done anywhere at all.
    pub fn may_somewhere(&self, permission: Permission) -> bool {
        self.grants.iter().any(|grant| grant.role.may(permission))
    }

    /// Where something may be done, for lists.
    pub fn scope(&self, permission: Permission) -> Scope {
        let (mut sites, mut cameras) = (BTreeSet::new(), BTreeSet::new());
        for grant in self.grants.iter().filter(|grant| grant.role.may(permission)) {
            match (&grant.site, &grant.camera) {
                (None, None) => return Scope::All,
                (Some(site), None) => drop(sites.insert(site.clone())),
                (site, Some(camera)) => drop(cameras.insert((site.clone(), camera.clone()))),
            }
        }
        Scope::Only { sites, cameras }
    }

    /// What may be done somewhere.
    pub fn permissions(&self) -> Vec<Permission> {
        Permission::ALL.iter().copied().filter(|permission| self.may_somewhere(*permission)).collect()
    }
}

/// A part of all sites and cameras. Lists take it, so that they hold only what their reader may see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scope {
    /// Everything.
    #[default]
    All,
    /// Whole sites and single cameras; perhaps nothing.
    Only {
        /// Everything of these sites.
        sites: BTreeSet<SiteId>,
        /// These cameras, of one site or wherever they are.
        cameras: BTreeSet<(Option<SiteId>, CameraId)>,
    },
}

impl Scope {
    /// Whether a thing of this site and camera is in it; see [`Access::may`].
    pub fn contains(&self, site: Option<&str>, camera: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Only { sites, cameras } => {
                site.is_some_and(|site| sites.contains(site))
                    || camera.is_some_and(|camera| {
                        cameras.iter().any(|(of, granted)| {
                            granted.as_str() == camera
                                && of.as_ref().is_none_or(|of| site == Some(of.as_str()))
                        })
                    })
            }
        }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Only { sites, cameras } if sites.is_empty() && cameras.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(role: Role, site: Option<&str>, camera: Option<&str>) -> Grant {
        Grant {
            role,
            site: site.map(|site| site.parse().unwrap()),
            camera: camera.map(|camera| camera.parse().unwrap()),
        }
    }

    #[test]
    fn roles_differ_in_what_they_may_and_have_names_in_both_languages() {
        let of = |role: Role| {
            Permission::ALL.iter().filter(|p| role.may(**p)).map(|p| p.as_str()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of(Role::Viewer), "see");
        assert_eq!(of(Role::Operator), "see see_clear judge file answer");
        assert_eq!(of(Role::Dispatcher), "see see_clear judge file dispatch answer");
        assert_eq!(of(Role::Auditor), "see see_clear unseal audit delete");
        assert_eq!(Permission::ALL.iter().filter(|p| Role::Administrator.may(**p)).count(), 11);
        for role in Role::ALL {
            assert!(!role.name(Language::ZhCn).is_ascii() && role.name(Language::En).is_ascii());
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        for permission in Permission::ALL {
            assert_eq!(serde_json::to_value(permission).unwrap(), permission.as_str());
        }
    }

    #[test]
    fn a_grant_holds_at_its_place_and_nowhere_else() {
        let (harbour, hill) = ("harbour".parse().unwrap(), "hill".parse().unwrap());
        let (gate, yard) = ("gate".parse().unwrap(), "yard".parse().unwrap());
        let access = Access::new(vec![
            grant(Role::Operator, Some("harbour"), None),
            grant(Role::Viewer, Some("hill"), Some("gate")),
            grant(Role::Auditor, None, Some("yard")),
        ]);
        let judge = |site, camera| access.may(Permission::Judge, site, camera);
        assert!(judge(Some(&harbour), Some(&gate)) && judge(Some(&harbour), None));
        assert!(!judge(Some(&hill), Some(&gate)) && !judge(None, None) && !judge(None, Some(&gate)));
        let see = |site, camera| access.may(Permission::See, site, camera);
        assert!(see(Some(&hill), Some(&gate)) && !see(Some(&hill), None));
        assert!(see(Some(&hill), Some(&yard)), "wherever the camera is");
        assert!(!access.may(Permission::Audit, None, None), "only of one camera");
        assert!(access.may_somewhere(Permission::Audit) && !access.may_somewhere(Permission::Dispatch));
        assert!(access.scope(Permission::Dispatch).is_empty());
        assert!(Access::default().scope(Permission::See).is_empty());
        let everywhere = Access::new(vec![Grant::everywhere(Role::Viewer)]);
        assert_eq!(everywhere.scope(Permission::See), Scope::All);
        assert!(everywhere.may(Permission::See, None, None));
        assert_eq!(everywhere.permissions(), [Permission::See]);
    }
}
