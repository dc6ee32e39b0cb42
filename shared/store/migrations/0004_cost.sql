-- What the turn cost; NULL where nobody told the price of its model.
ALTER TABLE turns ADD COLUMN cost_usd REAL;
