//! The two kinds of visit, and which comes next.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use goose::goose::GooseUser;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::browser::{Browser, Errand, Site};
use crate::form;
use crate::route::{RING, Route};

/// Names that shoppers sign in with. So few that the shop's ratings do not grow with the run.
const SHOPPERS: u32 = 20;

/// Deals visits to users, over all of them in the same proportion.
#[derive(Debug)]
pub(crate) struct Visits {
    ring_weight: u64,
    shopper_weight: u64,
    products: u32,
    seed: u64,
    dealt: AtomicU64,
    /// Place in the ring, one for all users, so that the shop sees its requests in their order.
    ring: AtomicUsize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ring,
    Shopper,
}

impl Visits {
    /// The weights are not both 0.
    pub(crate) fn new(ring_weight: u32, shopper_weight: u32, products: u32, seed: u64) -> Self {
        Self {
            ring_weight: ring_weight.into(),
            shopper_weight: shopper_weight.into(),
            products: products.max(1),
            seed,
            dealt: AtomicU64::new(0),
            ring: AtomicUsize::new(0),
        }
    }

    /// The kind of visit number `n`: spread evenly, so that every stretch has the asked-for proportion.
    fn kind(&self, n: u64) -> Kind {
        let of = u128::from(self.ring_weight + self.shopper_weight);
        let rings_before = |n: u64| (u128::from(n) * u128::from(self.ring_weight)).div_ceil(of);
        if rings_before(n + 1) > rings_before(n) {
            Kind::Ring
        } else {
            Kind::Shopper
        }
    }

    /// Makes the next visit. Ends early when the run is over.
    pub(crate) async fn next(&self, user: &mut GooseUser, site: &Site) {
        let n = self.dealt.fetch_add(1, Ordering::Relaxed);
        let browser = Browser::new(user, site);
        match self.kind(n) {
            Kind::Ring => self.go_round(browser, site).await,
            Kind::Shopper => self.shop(browser, site, n).await,
        }
    }

    async fn go_round(&self, mut browser: Browser<'_>, site: &Site) {
        for _ in RING {
            let Some(turn) = browser.turn().await else {
                return;
            };
            // Only now, so that requests leave in the ring's order, whoever's turn it is.
            let place = self.ring.fetch_add(1, Ordering::Relaxed) % RING.len();
            let (route, path) = RING[place];
            if browser.send(turn, Errand::get(route, path)).await.is_none() {
                return;
            }
        }
        site.recorder.visited(|visits| visits.ring_rounds += 1);
    }

    async fn shop(&self, browser: Browser<'_>, site: &Site, n: u64) {
        // Of the visit's own number, so that users do not change each other's choices.
        let mut random = SmallRng::seed_from_u64(self.seed ^ n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let shopper = Shopper {
            product: random.random_range(0..self.products),
            name: format!("shopper-{:02}", random.random_range(1..=SHOPPERS)),
            stars: random.random_range(1..=5_u8),
        };
        let end = shopper.journey(browser).await;
        site.recorder.visited(|visits| match end {
            End::Whole => visits.journeys_whole += 1,
            End::Failed => visits.journeys_failed += 1,
            End::NoForm => {
                visits.journeys_failed += 1;
                visits.rating_forms_missing += 1;
            }
            End::RunOver => {}
        });
    }
}

/// How a journey ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Whole,
    Failed,
    NoForm,
    RunOver,
}

/// Who comes in, and what they are after.
#[derive(Debug)]
struct Shopper {
    product: u32,
    name: String,
    stars: u8,
}

impl Shopper {
    /// Home, product, sign in, the product again as the one signed in, reviews, rate, sign out. A failed
    /// step does not end the visit: a person would go on, too. Only what cannot be done is left out.
    async fn journey(&self, mut browser: Browser<'_>) -> End {
        match self.steps(&mut browser).await {
            None => End::RunOver,
            Some(end) => end,
        }
    }

    async fn steps(&self, browser: &mut Browser<'_>) -> Option<End> {
        let id = self.product.to_string();
        let product_page = format!("/productpage?id={id}");
        let mut all_ok = browser.get(Route::Home, "/").await?.ok;
        all_ok &= browser.get(Route::ProductPage, &product_page).await?.ok;
        let login = Errand {
            route: Route::Login,
            path: "/login",
            form: &[("username", &self.name)],
            read: false,
        };
        all_ok &= browser.run(login).await?.ok;
        let signed_in = Errand {
            read: true,
            ..Errand::get(Route::ProductPage, &product_page)
        };
        let page = browser.run(signed_in).await?;
        all_ok &= page.ok;
        let reviews = format!("/api/v1/products/{id}/reviews");
        all_ok &= browser.get(Route::Reviews, &reviews).await?.ok;
        let token = form::rating_token(&page.text);
        if let Some(token) = &token {
            let rate = Errand {
                route: Route::Rate,
                path: "/productpage/rate",
                form: &[
                    ("id", &id),
                    ("stars", &self.stars.to_string()),
                    ("csrf", token),
                ],
                read: false,
            };
            all_ok &= browser.run(rate).await?.ok;
        }
        all_ok &= browser.get(Route::Logout, "/logout").await?.ok;
        Some(match (all_ok, token) {
            // A page that failed has no form for that reason alone.
            (_, None) if page.ok => End::NoForm,
            (true, Some(_)) => End::Whole,
            _ => End::Failed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dealt(ring: u32, shopper: u32, count: u64) -> String {
        let visits = Visits::new(ring, shopper, 12, 0);
        (0..count)
            .map(|n| match visits.kind(n) {
                Kind::Ring => 'r',
                Kind::Shopper => 's',
            })
            .collect()
    }

    #[test]
    fn visits_are_dealt_evenly_in_the_asked_for_proportion() {
        assert_eq!(dealt(3, 1, 8), "rrrsrrrs");
        assert_eq!(dealt(1, 0, 4), "rrrr");
        assert_eq!(dealt(0, 1, 4), "ssss");
        assert_eq!(dealt(2, 3, 10), "rsrssrsrss");
        let many = dealt(997, 3, 10_000);
        assert_eq!(many.matches('s').count(), 30);
    }
}
