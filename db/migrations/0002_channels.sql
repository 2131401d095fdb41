-- The defaults are for a server of the version before, which goes on recording while this one starts.
ALTER TABLE visits
    ADD COLUMN channel  text COLLATE "C" NOT NULL DEFAULT 'OTHER',
    ADD COLUMN ref      text             NOT NULL DEFAULT '', -- the first of ref, source and via of the landing page
    ADD COLUMN ad_click text COLLATE "C" NOT NULL DEFAULT '', -- the parameter with the id of a paid click
    ADD CONSTRAINT visits_channel_check CHECK (channel IN ('DIRECT', 'ORGANIC_SEARCH', 'PAID_SEARCH', 'ORGANIC_SOCIAL',
        'PAID_SOCIAL', 'AI_ASSISTANT', 'EMAIL', 'AFFILIATE', 'REFERRAL', 'DISPLAY', 'OTHER'));

-- Of visits recorded before, only what is certain without the table of known sources gets its channel.
-- The rest stays OTHER, and all keep their source as it was named then: history does not change names.
UPDATE visits
SET channel = CASE
        WHEN lower(utm_medium) IN ('email', 'e-mail', 'newsletter') THEN 'EMAIL'
        WHEN lower(utm_medium) IN ('affiliate', 'affiliates') THEN 'AFFILIATE'
        WHEN lower(utm_medium) IN ('display', 'banner') THEN 'DISPLAY'
        ELSE 'DIRECT'
    END
WHERE lower(utm_medium) IN ('email', 'e-mail', 'newsletter', 'affiliate', 'affiliates', 'display', 'banner')
   OR source = 'direct' AND utm_source = '' AND utm_medium = '' AND utm_campaign = '' AND utm_term = '' AND utm_content = ''
      AND landing_page !~ '[?&](ref|source|via|[a-z]*clid|gbraid|wbraid|gad_source|li_fat_id|rdt_cid|igshid|igsh|epik|ScCid|tblci|dicbo)=';
