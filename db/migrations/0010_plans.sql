-- What connections keep is planned without knowing the website. Where most websites have a payment or two, Postgres would
-- expect of any no more than that, and read all of one that has a million to find a payment by its id, or a visit by its
-- visitor. So it is told that a website may have a tenth of all, that an id has one payment, and a customer few.
ALTER TABLE payments
    ALTER website_id SET (n_distinct = 10),
    ALTER transaction_id SET (n_distinct = -1),
    ALTER charge_id SET (n_distinct = -1),
    ALTER customer_id SET (n_distinct = -0.1),
    ALTER email_folded SET (n_distinct = -0.1);
ALTER TABLE visits ALTER website_id SET (n_distinct = 10);
ANALYZE payments (website_id, transaction_id, charge_id, customer_id, email_folded);
ANALYZE visits (website_id);
