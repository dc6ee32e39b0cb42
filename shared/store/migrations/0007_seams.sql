-- Addresses and events say of which kind they are; a call may bring back images.
ALTER TABLE calls ADD COLUMN images TEXT NOT NULL DEFAULT '[]';

UPDATE conversations SET address = json_object('channel', 'api', 'name', address->>'chatId') WHERE channel = 'api';
UPDATE conversations SET address = json_set(address, '$.channel', channel) WHERE channel <> 'api';

-- What triage has not read yet, or somebody may still replay.
UPDATE inbound SET event = json_remove(json_patch(
    json_set(event, '$.address.channel', channel, '$.isGroup', json(iif(event->>'isGroup', 'true', 'false'))),
    CASE event->>'kind'
      WHEN 'moved' THEN json_object('kind', 'group_migrated', 'toChatId', event->>'movedTo', 'text', NULL)
      WHEN 'callback' THEN json_object('data', event->>'text', 'text', NULL)
      WHEN 'command' THEN json_object('unreadable', event->'attachments', 'isToOthers', event->'isAside', 'command', json_object(
        'name', substr(event->>'text', 2, instr((event->>'text') || ' ', ' ') - 2),
        'args', trim(substr(event->>'text', instr((event->>'text') || ' ', ' ') + 1))))
      ELSE json_object('kind', 'message', 'unreadable', event->'attachments', 'isToOthers', event->'isAside')
    END), '$.channel', '$.attachments', '$.movedTo', '$.isAside')
  WHERE state IN ('new', 'parked') AND json_valid(event) AND event->'address' IS NOT NULL;

-- Commands were read again by whoever planned: the ones that tools carry out are kept as such now.
UPDATE messages SET content = json_set(content, '$.command', json_object('name', 'run',
    'args', trim(substr(trim(content->>'text', char(9, 10, 13, 32)), 5), char(9, 10, 13, 32))))
  WHERE content->>'type' = 'text' AND instr(content, '\u0000') = 0
    AND lower(substr(trim(content->>'text', char(9, 10, 13, 32)), 1, 4)) = '/run'
    AND instr(char(9, 10, 13, 32), substr(trim(content->>'text', char(9, 10, 13, 32)), 5, 1)) > 0
    AND length(trim(content->>'text', char(9, 10, 13, 32))) > 5;
