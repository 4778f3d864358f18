//! How somebody sees the pictures of a camera: what is private in them is a mosaic for all but those who may unseal it.
//! The originals stay as they are, sealed: what proves them is their hash.

use bytes::Bytes;
use parapet_core::{Access, BBox, CameraId, Permission, Polygon, SiteId};

use crate::blur::{blurred, masked};

/// How somebody sees a picture.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sight {
    /// All of it as a mosaic.
    Blurred,
    /// These areas of the view as a mosaic, the rest clear.
    Masked(Vec<Polygon>),
    /// As it was taken; nothing in it is private.
    Clear,
    /// As it was taken, though some of it is private: that goes on record.
    Unsealed,
}

impl Sight {
    /// How a picture of this camera is seen in which `areas` are private.
    pub(crate) fn of(access: &Access, site: &SiteId, camera: &CameraId, areas: Vec<Polygon>) -> Self {
        let may = |permission| access.may(permission, Some(site), Some(camera));
        match () {
            () if !may(Permission::SeeClear) => Self::Blurred,
            () if areas.is_empty() => Self::Clear,
            () if may(Permission::Unseal) => Self::Unsealed,
            () => Self::Masked(areas),
        }
    }

    /// The same for a small picture in a list: nobody asked to see it unsealed.
    pub(crate) fn of_list(access: &Access, site: &SiteId, camera: &CameraId, areas: Vec<Polygon>) -> Self {
        match Self::of(access, site, camera, areas.clone()) {
            Self::Unsealed => Self::Masked(areas),
            sight => sight,
        }
    }
}

/// A live picture as it is seen so; `known` are boxes of persons and vehicles in it. `None` if it cannot be made: then it
/// is not shown.
pub(crate) async fn seen(jpeg: Bytes, sight: Sight, known: Vec<BBox>) -> Option<Bytes> {
    let made = match sight {
        Sight::Clear | Sight::Unsealed => return Some(jpeg),
        Sight::Blurred => tokio::task::spawn_blocking(move || blurred(&jpeg, &known)),
        Sight::Masked(areas) => {
            let whole = BBox::new(0.0, 0.0, 1.0, 1.0)?;
            tokio::task::spawn_blocking(move || masked(&jpeg, &areas, whole))
        }
    };
    Some(made.await.ok()?.ok()?.into())
}

#[cfg(test)]
mod tests {
    use parapet_core::{Grant, Role};

    use super::*;

    #[test]
    fn only_who_may_unseal_sees_what_is_private_and_lists_never_show_it() {
        let (site, camera) = ("harbour".parse().unwrap(), "gate".parse().unwrap());
        let areas = vec![Polygon::from_bbox(BBox::new(0.0, 0.0, 0.5, 0.5).unwrap()).unwrap()];
        let masked = Sight::Masked(areas.clone());
        for (role, sight, in_list) in [
            (Role::Viewer, Sight::Blurred, Sight::Blurred),
            (Role::Operator, masked.clone(), masked.clone()),
            (Role::Dispatcher, masked.clone(), masked.clone()),
            (Role::Auditor, Sight::Unsealed, masked.clone()),
            (Role::Administrator, Sight::Unsealed, masked.clone()),
        ] {
            let access = Access::new(vec![Grant::everywhere(role)]);
            assert_eq!(Sight::of(&access, &site, &camera, areas.clone()), sight, "{role:?}");
            assert_eq!(Sight::of_list(&access, &site, &camera, areas.clone()), in_list, "{role:?}");
            let open = if role == Role::Viewer { Sight::Blurred } else { Sight::Clear };
            assert_eq!(Sight::of(&access, &site, &camera, Vec::new()), open, "{role:?}");
        }
        let elsewhere = Access::new(vec![
            Grant::everywhere(Role::Operator),
            Grant::at(Role::Auditor, "hill".parse().unwrap()),
        ]);
        assert_eq!(Sight::of(&elsewhere, &site, &camera, areas), masked);
    }
}
