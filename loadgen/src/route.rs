//! The requests that can be made, and the names under which they are counted.

/// One row of the report. The names stay the same from release to release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Home,
    ProductPage,
    Login,
    Rate,
    Logout,
    Health,
    Products,
    Product,
    Reviews,
    Ratings,
}

impl Route {
    /// All routes, in the order of their discriminants and of the report.
    pub(crate) const ALL: [Self; 10] = [
        Self::Home,
        Self::ProductPage,
        Self::Login,
        Self::Rate,
        Self::Logout,
        Self::Health,
        Self::Products,
        Self::Product,
        Self::Reviews,
        Self::Ratings,
    ];

    /// Method and template, as the report shows them.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Home => "GET /",
            Self::ProductPage => "GET /productpage",
            Self::Login => "POST /login",
            Self::Rate => "POST /productpage/rate",
            Self::Logout => "GET /logout",
            Self::Health => "GET /health",
            Self::Products => "GET /api/v1/products",
            Self::Product => "GET /api/v1/products/{id}",
            Self::Reviews => "GET /api/v1/products/{id}/reviews",
            Self::Ratings => "GET /api/v1/products/{id}/ratings",
        }
    }

    /// Method of the request, in capitals.
    pub(crate) fn method(self) -> &'static str {
        self.name().split_once(' ').map_or("GET", |parts| parts.0)
    }

    /// Template of the path; ids are never part of it.
    pub(crate) fn template(self) -> &'static str {
        self.name().split_once(' ').map_or("/", |parts| parts.1)
    }

    /// Whether the answer is as it should be. Forms and sign-out answer by sending the browser elsewhere.
    pub(crate) fn is_expected(self, status: u16) -> bool {
        match self {
            Self::Login | Self::Rate | Self::Logout => (200..400).contains(&status),
            _ => (200..300).contains(&status),
        }
    }
}

/// The webinar's mix: six read-only requests, one after the other, again and again.
pub(crate) const RING: [(Route, &str); 6] = [
    (Route::ProductPage, "/productpage"),
    (Route::Health, "/health"),
    (Route::Product, "/api/v1/products/0"),
    (Route::Reviews, "/api/v1/products/0/reviews"),
    (Route::Ratings, "/api/v1/products/0/ratings"),
    (Route::Products, "/api/v1/products"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_index_by_their_place() {
        for (place, route) in Route::ALL.into_iter().enumerate() {
            assert_eq!(route as usize, place);
            assert_eq!(
                format!("{} {}", route.method(), route.template()),
                route.name()
            );
        }
    }

    #[test]
    fn only_forms_and_sign_out_may_redirect() {
        assert!(Route::Login.is_expected(302) && Route::Logout.is_expected(303));
        assert!(!Route::ProductPage.is_expected(302));
        assert!(!Route::Rate.is_expected(403) && !Route::Health.is_expected(500));
    }
}
